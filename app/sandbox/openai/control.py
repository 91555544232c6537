"""The control endpoints of this vendor: conditions, beats, failures, webhooks, what was paid."""

from dataclasses import asdict
from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    NonNegativeFloat,
    PositiveInt,
    RootModel,
    ValidationError,
)
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.sandbox.frame.control import NO_CONTENT, body_of
from app.sandbox.openai.account import Account
from app.sandbox.openai.conditions import Conditions

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
    """How a job is to fail."""

    model_config = ConfigDict(extra="forbid")

    code: str = "server_error"
    message: str = "The job failed due to an internal error."


class Delivery(BaseModel):
    """How a webhook is to be sent again."""

    model_config = ConfigDict(extra="forbid")

    age_seconds: NonNegativeFloat = 0


class AccountControl:
    """The account by HTTP."""

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
            Route("/webhooks", self._webhooks),
            Route("/webhooks/{id}/deliver", self._deliver, methods=["POST"]),
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
        failure = await body_of(request, JobFailure)
        self._account.jobs.fail(job, failure.code, failure.message)
        return Response(status_code=NO_CONTENT)

    async def _creations(self, request: Request) -> Response:
        if "key" not in request.query_params:
            raise HTTPException(BAD_REQUEST, "Say which: ?key=")
        return JSONResponse(self._account.jobs.creations(request.query_params["key"]))

    async def _webhooks(self, _request: Request) -> Response:
        return JSONResponse([asdict(notice) for notice in self._account.outbox.notices])

    async def _deliver(self, request: Request) -> Response:
        wanted = await body_of(request, Delivery)
        for notice in self._account.outbox.notices:
            if notice.id == request.path_params["id"]:
                status = await self._account.deliver(notice, age_seconds=wanted.age_seconds)
                return JSONResponse({"status": status})
        raise HTTPException(NOT_FOUND)

    def _require(self, job: str | None) -> None:
        if job is not None and job not in self._account.jobs.all:
            raise HTTPException(NOT_FOUND)


def change(conditions: Conditions, changes: dict[str, Any]) -> None:
    """Change the conditions in place, all or none; what does not fit raises `ValidationError`."""
    changed = type(conditions).model_validate(conditions.model_dump() | changes)
    for name in changes:
        setattr(conditions, name, getattr(changed, name))
