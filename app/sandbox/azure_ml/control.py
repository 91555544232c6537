"""The control endpoints of this vendor: conditions, beats, failures, what was created."""

from typing import Any

from pydantic import BaseModel, ConfigDict, PositiveInt, RootModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.sandbox.azure_ml.account import Account
from app.sandbox.azure_ml.conditions import Conditions
from app.sandbox.frame.control import NO_CONTENT, body_of

BAD_REQUEST = 400
NOT_FOUND = 404


class Changes(RootModel[dict[str, Any]]):
    """Conditions by their names."""


class Beats(BaseModel):
    """How far one job, or every job, is to move on."""

    model_config = ConfigDict(extra="forbid")

    beats: PositiveInt = 1
    job: str | None = None


class JobFailure(BaseModel):
    """Why a job is to fail."""

    model_config = ConfigDict(extra="forbid")

    message: str = "The job failed due to an internal error."


class AccountControl:
    """The workspace by HTTP."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def routes(self) -> list[BaseRoute]:
        """The routes, without the prefix."""
        return [
            Route("/conditions", self._conditions),
            Route("/conditions", self._change, methods=["PATCH"]),
            Route("/jobs/advance", self._advance, methods=["POST"]),
            Route("/jobs/{job}/fail", self._fail, methods=["POST"]),
            Route("/creations", self._creations),
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

    async def _fail(self, request: Request) -> Response:
        job = request.path_params["job"]
        self._require(job)
        self._account.jobs.fail(job, (await body_of(request, JobFailure)).message)
        return Response(status_code=NO_CONTENT)

    async def _creations(self, _request: Request) -> Response:
        return JSONResponse(self._account.jobs.creations)

    def _require(self, job: str | None) -> None:
        if job is not None and job not in self._account.jobs.all:
            raise HTTPException(NOT_FOUND)


def change(conditions: Conditions, changes: dict[str, Any]) -> None:
    """Change the conditions in place, all or none; what does not fit raises `ValidationError`."""
    changed = Conditions.model_validate(conditions.model_dump() | changes)
    for name in changes:
        setattr(conditions, name, getattr(changed, name))
