"""The control endpoints of this vendor: conditions, beats, failures, what was paid."""

from typing import Any

from pydantic import BaseModel, ConfigDict, PositiveInt, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.sandbox.frame.control import NO_CONTENT, body_of
from app.sandbox.vertex.account import Account
from app.sandbox.vertex.conditions import Conditions

NOT_FOUND = 404


class Beats(BaseModel):
    """How far one job, or every job, is to move on; a job is named as Google names it."""

    model_config = ConfigDict(extra="forbid")

    beats: PositiveInt = 1
    job: str | None = None


class JobFailure(BaseModel):
    """Which job is to fail, and how."""

    model_config = ConfigDict(extra="forbid")

    job: str
    message: str = "Internal error."


class AccountControl:
    """The project by HTTP."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def routes(self) -> list[BaseRoute]:
        """The routes, without the prefix."""
        return [
            Route("/conditions", self._conditions),
            Route("/conditions", self._change, methods=["PATCH"]),
            Route("/jobs/advance", self._advance, methods=["POST"]),
            Route("/jobs/fail", self._fail, methods=["POST"]),
            Route("/creations", self._creations),
        ]

    async def _conditions(self, _request: Request) -> Response:
        return JSONResponse(self._account.conditions.model_dump(mode="json"))

    async def _change(self, request: Request) -> Response:
        try:
            change(self._account.conditions, await request.json())
        except ValidationError as error:
            raise HTTPException(400, str(error)) from error
        return await self._conditions(request)

    async def _advance(self, request: Request) -> Response:
        wanted = await body_of(request, Beats)
        self._require(wanted.job)
        self._account.jobs.advance(wanted.beats, wanted.job)
        return Response(status_code=NO_CONTENT)

    async def _fail(self, request: Request) -> Response:
        wanted = await body_of(request, JobFailure)
        self._require(wanted.job)
        self._account.jobs.fail(wanted.job, wanted.message)
        return Response(status_code=NO_CONTENT)

    async def _creations(self, request: Request) -> Response:
        return JSONResponse(self._account.jobs.creations(request.query_params["label"]))

    def _require(self, job: str | None) -> None:
        if job is not None and job not in self._account.jobs.all:
            raise HTTPException(NOT_FOUND)


def change(conditions: Conditions, changes: dict[str, Any]) -> None:
    """Change the conditions in place, all or none; what does not fit raises `ValidationError`."""
    changed = Conditions.model_validate(conditions.model_dump() | changes)
    for name in changes:
        setattr(conditions, name, getattr(changed, name))
