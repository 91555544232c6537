"""The control endpoints of this vendor: failures, webhooks, what was paid."""

from dataclasses import asdict

from pydantic import BaseModel, ConfigDict, NonNegativeFloat
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.sandbox.frame.control import BAD_REQUEST, NO_CONTENT, body_of
from app.sandbox.frame.vendor_control import NOT_FOUND, VendorControl
from app.sandbox.openai.account import Account


class JobFailure(BaseModel):
    """How a job is to fail."""

    model_config = ConfigDict(extra="forbid")

    code: str = "server_error"
    message: str = "The job failed due to an internal error."


class Delivery(BaseModel):
    """How a webhook is to be sent again."""

    model_config = ConfigDict(extra="forbid")

    age_seconds: NonNegativeFloat = 0


class AccountControl(VendorControl[Account]):
    """The account by HTTP."""

    def routes(self) -> list[BaseRoute]:
        """The routes, without the prefix."""
        return [
            *super().routes(),
            Route("/jobs/{job}/fail", self._fail, methods=["POST"]),
            Route("/creations", self._creations),
            Route("/webhooks", self._webhooks),
            Route("/webhooks/{id}/deliver", self._deliver, methods=["POST"]),
        ]

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
