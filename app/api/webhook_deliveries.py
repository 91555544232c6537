"""Webhook deliveries over HTTP: each can be seen, and sent again."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from app.api.dependencies import Use
from app.api.problems import responses
from app.api.shapes import Cursor, Limit, Moment, Out, Page, after, answer, answer_page
from app.domain.webhook_deliveries import Delivery, DeliveryState, message
from app.domain.webhook_endpoints import WebhookEndpoint

router = APIRouter(prefix="/webhooks/{webhook_id}", tags=["webhooks"])


class OutcomeOut(Out):
    """What came of the latest try."""

    status: int | None = Field(description="Null where no answer came.")
    answer: str | None = Field(description="The beginning of the answer's body.")
    problem: str | None = Field(description="Why no answer came.")


class DeliveryOut(Out):
    """One message to one endpoint."""

    id: str = Field(examples=["whd_01k8zq3v6m4y7d2n9h5c0x1b8t"])
    event_id: str = Field(description="The header `webhook-id`: the same at every try.")
    type: str = Field(examples=["job.succeeded"])
    subject: str = Field(description="What it is about: an id, or an alias.")
    state: DeliveryState
    attempts: int
    outcome: OutcomeOut
    created_at: Moment = Field(validation_alias="at")
    delivered_at: Moment | None
    next_attempt_at: Moment | None = Field(validation_alias="next_at")
    message: dict[str, Any] = Field(description="What is sent.")


StateFilter = Annotated[DeliveryState | None, Query(description="Only those that stand so.")]


@router.post(
    "/test",
    operation_id="test_webhook",
    summary="Send a test message",
    status_code=202,
    response_model=DeliveryOut,
    responses=responses(404, 409, 422),
)
async def test_webhook(use: Use, webhook_id: str) -> Response:
    """Send `webhook.test`, whatever the endpoint is told else; the deliveries say how it went."""
    endpoint, sent = await use.webhook_endpoints.test(webhook_id)
    return answer(_out(endpoint, sent), status=202)


@router.get(
    "/deliveries",
    operation_id="list_webhook_deliveries",
    summary="List a webhook's deliveries",
    response_model=Page[DeliveryOut],
    responses=responses(404, 422),
)
async def list_webhook_deliveries(
    use: Use, webhook_id: str, state: StateFilter = None, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Deliveries, newest first; those that ended are kept for thirty days."""
    endpoint, found = await use.webhook_endpoints.deliveries(
        webhook_id, state=state, before=after(cursor) or None, limit=limit + 1
    )
    cursors = {one.id: str(one.number) for one in found}
    shown = [_out(endpoint, one) for one in found]
    return answer_page(Page[DeliveryOut], shown, limit, lambda one: cursors[one.id])


@router.post(
    "/deliveries/{delivery_id}/resend",
    operation_id="resend_webhook_delivery",
    summary="Send a delivery again",
    status_code=202,
    response_model=DeliveryOut,
    responses=responses(404, 409, 422),
)
async def resend_webhook_delivery(use: Use, webhook_id: str, delivery_id: str) -> Response:
    """Send the same message under the same `webhook-id`, whatever became of it, and retry anew."""
    endpoint, again = await use.webhook_endpoints.send_again(webhook_id, delivery_id)
    return answer(_out(endpoint, again), status=202)


def _out(endpoint: WebhookEndpoint, delivery: Delivery) -> DeliveryOut:
    values = {name: getattr(delivery, name) for name in delivery.__struct_fields__}
    return DeliveryOut.model_validate(values | {"message": message(delivery, endpoint.format)})
