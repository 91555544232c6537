"""The control endpoints of every vendor's account: its conditions, and its jobs' beats."""

from typing import Any, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, PositiveInt, RootModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.sandbox.frame.clock import Clock
from app.sandbox.frame.conditions import Paced, change
from app.sandbox.frame.control import BAD_REQUEST, NO_CONTENT, body_of
from app.sandbox.frame.jobs import PacedJobs

NOT_FOUND = 404


class Account(Protocol):
    """What a vendor keeps, as far as the frame steers it."""

    @property
    def conditions(self) -> Paced:
        """The world that it is in."""
        ...

    @property
    def clock(self) -> Clock:
        """Its time."""
        ...

    @property
    def jobs(self) -> PacedJobs[Any, Any]:
        """Its jobs, by the names that the vendor gives them."""
        ...


AnyAccount = TypeVar("AnyAccount", bound=Account)


class Changes(RootModel[dict[str, Any]]):
    """Conditions by their names."""


class Beats(BaseModel):
    """How far one job, or every job, is to move on."""

    model_config = ConfigDict(extra="forbid")

    beats: PositiveInt = 1
    job: str | None = None


class VendorControl(Generic[AnyAccount]):
    """An account by HTTP; a vendor adds the routes of its own."""

    def __init__(self, account: AnyAccount) -> None:
        self._account = account

    def routes(self) -> list[BaseRoute]:
        """The routes, without the prefix."""
        return [
            Route("/conditions", self._conditions),
            Route("/conditions", self._change, methods=["PATCH"]),
            Route("/jobs/advance", self._advance, methods=["POST"]),
        ]

    async def _conditions(self, _request: Request) -> Response:
        return JSONResponse(self._account.conditions.model_dump(mode="json"))

    async def _change(self, request: Request) -> Response:
        changes = await body_of(request, Changes)
        try:
            change(self._account.conditions, changes.root)
        except ValidationError as error:
            raise HTTPException(BAD_REQUEST, str(error)) from error
        return await self._conditions(request)

    async def _advance(self, request: Request) -> Response:
        wanted = await body_of(request, Beats)
        self._require(wanted.job)
        self._account.jobs.advance(wanted.beats, wanted.job)
        return Response(status_code=NO_CONTENT)

    def _require(self, job: str | None) -> None:
        if job is not None and job not in self._account.jobs.all:
            raise HTTPException(NOT_FOUND)
