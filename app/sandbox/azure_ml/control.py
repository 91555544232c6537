"""The control endpoints of this vendor: failures, and what was created."""

from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.sandbox.azure_ml.account import Account
from app.sandbox.frame.control import NO_CONTENT, body_of
from app.sandbox.frame.vendor_control import VendorControl


class JobFailure(BaseModel):
    """Why a job is to fail."""

    model_config = ConfigDict(extra="forbid")

    message: str = "The job failed due to an internal error."


class AccountControl(VendorControl[Account]):
    """The workspace by HTTP."""

    def routes(self) -> list[BaseRoute]:
        """The routes, without the prefix."""
        return [
            *super().routes(),
            Route("/jobs/{job}/fail", self._fail, methods=["POST"]),
            Route("/creations", self._creations),
        ]

    async def _fail(self, request: Request) -> Response:
        job = request.path_params["job"]
        self._require(job)
        self._account.jobs.fail(job, (await body_of(request, JobFailure)).message)
        return Response(status_code=NO_CONTENT)

    async def _creations(self, _request: Request) -> Response:
        return JSONResponse(self._account.jobs.creations)
