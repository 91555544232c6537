"""Health over HTTP, for machines that watch this process."""

from fastapi import APIRouter, Response

from app.api.dependencies import Use
from app.api.shapes import Out, answer

router = APIRouter(tags=["health"])


class HealthOut(Out):
    """`ok` while the process lives."""

    status: str


class ReadyOut(Out):
    """Each part with `ok` or what is wrong with it."""

    status: str
    checks: dict[str, str]


@router.get("/healthz", operation_id="get_health", summary="Is it alive?", response_model=HealthOut)
async def get_health() -> Response:
    """The process answers; nothing else is looked at."""
    return answer(HealthOut(status="ok"))


@router.get(
    "/readyz",
    operation_id="get_readiness",
    summary="Can it serve?",
    response_model=ReadyOut,
    responses={503: {"model": ReadyOut, "description": "Not now; `checks` says why."}},
)
async def get_readiness(use: Use) -> Response:
    """The database answers with a schema that this version knows, and the process is not ending."""
    checks = await use.health.check()
    is_ready = all(state == "ok" for state in checks.values())
    body = ReadyOut(status="ok" if is_ready else "unavailable", checks=checks)
    return answer(body, status=200 if is_ready else 503)
