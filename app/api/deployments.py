"""Deployments over HTTP: the wish that a tuned model is served, or is served no more."""

from fastapi import APIRouter, Response
from pydantic import Field

from app.api.dependencies import Use
from app.api.problems import responses
from app.api.shapes import In, Moment, Out, Usd, answer
from app.domain.hosting import HostingState, HostingWish
from app.services.hosting import WantedHosting

router = APIRouter(prefix="/models", tags=["models"])

MAX_HOURS = 24 * 366


class DeploymentIn(In):
    """How, and for how long."""

    tier: str | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description="The provider's name for a class of service; left out: the configured one.",
        examples=["Standard"],
    )
    ttl_hours: float | None = Field(
        default=None, gt=0, le=MAX_HOURS, description="Undeploy after so many hours.", examples=[8]
    )
    idle_hours: float | None = Field(
        default=None,
        gt=0,
        le=MAX_HOURS,
        description="Undeploy after so many hours without a question.",
        examples=[2],
    )


class DeploymentOut(Out):
    """What is wished for, and what was seen last."""

    model: str = Field(validation_alias="id")
    desired: HostingWish
    state: HostingState
    detail: str | None = Field(description="The provider's own word, or why it is over or refused.")
    name: str | None = Field(description="At the provider.")
    tier: str | None
    ttl_hours: float | None
    idle_hours: float | None
    wished_at: Moment
    since: Moment | None = Field(description="From when on it has to be paid.")
    seen_at: Moment | None
    used_at: Moment | None = Field(description="When it was asked last, to the minute.")
    expires_at: Moment | None
    usd_per_hour: Usd | None = Field(description="Null where no price is known.")


@router.post(
    "/{ref:path}/deploy",
    operation_id="deploy_model",
    summary="Deploy a tuned model",
    status_code=202,
    response_model=DeploymentOut,
    responses=responses(404, 409, 422),
)
async def deploy_model(use: Use, ref: str, body: DeploymentIn) -> Response:
    """Have the model served from now on, where its provider asks for that; it costs by the hour.

    The same wish again begins its hours anew. Nothing but this deploys.
    """
    wanted = WantedHosting(tier=body.tier, ttl_hours=body.ttl_hours, idle_hours=body.idle_hours)
    wished = await use.hostings.deploy(ref, wanted)
    return answer(DeploymentOut.model_validate(wished), status=202)


@router.post(
    "/{ref:path}/undeploy",
    operation_id="undeploy_model",
    summary="Undeploy a tuned model",
    status_code=202,
    response_model=DeploymentOut,
    responses=responses(404, 409),
)
async def undeploy_model(use: Use, ref: str) -> Response:
    """Have the model served no more, whoever had it deployed."""
    return answer(DeploymentOut.model_validate(await use.hostings.undeploy(ref)), status=202)
