"""The control endpoints of this vendor: failures, and what was paid."""

from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.sandbox.frame.control import NO_CONTENT, body_of
from app.sandbox.frame.vendor_control import VendorControl
from app.sandbox.vertex.account import Account


class JobFailure(BaseModel):
    """Which job is to fail, and how; it is named as Google names it, slashes and all."""

    model_config = ConfigDict(extra="forbid")

    job: str
    message: str = "Internal error."


class AccountControl(VendorControl[Account]):
    """The project by HTTP."""

    def routes(self) -> list[BaseRoute]:
        """The routes, without the prefix."""
        return [
            *super().routes(),
            Route("/jobs/fail", self._fail, methods=["POST"]),
            Route("/creations", self._creations),
        ]

    async def _fail(self, request: Request) -> Response:
        wanted = await body_of(request, JobFailure)
        self._require(wanted.job)
        self._account.jobs.fail(wanted.job, wanted.message)
        return Response(status_code=NO_CONTENT)

    async def _creations(self, request: Request) -> Response:
        return JSONResponse(self._account.jobs.creations(request.query_params["label"]))
