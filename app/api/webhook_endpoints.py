"""Webhook endpoints over HTTP: who is told of what, and with which secret."""

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import Field, StringConstraints

from app.api.dependencies import Use
from app.api.idempotency import KeyHeader, key_for, replay_headers, with_fingerprint
from app.api.problems import responses
from app.api.shapes import (
    Cursor,
    In,
    Limit,
    Moment,
    Names,
    Out,
    Page,
    answer,
    answer_page,
    before,
)
from app.domain.webhook_endpoints import WebhookFormat
from app.services.webhook_endpoints import Revealed, WantedWebhook

router = APIRouter(prefix="/webhooks", tags=["webhooks"])

Url = Annotated[
    str,
    StringConstraints(min_length=1, max_length=2000),
    Field(
        description="Public and https, where the operator opened nothing else.",
        examples=["https://hooks.example/luthier"],
    ),
]
Events = Annotated[
    Names,
    Field(
        description="Types, or families such as `job.*`; `job.progress` comes often.",
        examples=[["job.succeeded", "job.failed", "model.*"]],
    ),
]
Description = Annotated[
    str | None, Field(max_length=500, description="For people.", examples=["The ticket system."])
]


class WebhookIn(In):
    """Where to send what."""

    url: Url
    events: Events
    description: Description = None
    format: WebhookFormat = Field(
        default=WebhookFormat.STANDARD,
        description="`openai` sends the ends of jobs as OpenAI does, and nothing else.",
    )


class WebhookChangeIn(In):
    """What is to be different; what is null or left out stays."""

    url: Url | None = None
    events: Events | None = None
    description: Description = None
    enabled: bool | None = Field(
        default=None, description="False sends nothing more; true begins anew after failures."
    )


class WebhookOut(Out):
    """An endpoint, and how it fares."""

    id: str = Field(examples=["whk_01k8zq3v6m4y7d2n9h5c0x1b8t"])
    url: str
    events: list[str]
    description: str | None
    format: WebhookFormat
    enabled: bool
    disabled_reason: str | None = Field(description="Why the service itself disabled it.")
    failing_since: Moment | None = Field(description="Since when it has taken no message.")
    created_at: Moment


class WebhookSecretOut(WebhookOut):
    """The endpoint with its secret, which is shown this once."""

    secret: str = Field(
        description="Verify messages with it, as Standard Webhooks says.",
        examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],  # pragma: allowlist secret
    )


@router.post(
    "",
    operation_id="create_webhook",
    summary="Create a webhook",
    status_code=201,
    response_model=WebhookSecretOut,
    responses=responses(409, 422),
)
async def create_webhook(use: Use, body: WebhookIn, key: KeyHeader = None) -> Response:
    """Be told of events from now on; keep the `secret`, it is not shown again."""
    wanted = WantedWebhook(
        url=body.url, events=body.events, description=body.description, format=body.format
    )
    created = await use.webhook_endpoints.create(wanted, key_for("create_webhook", key, body))
    headers = {"Location": f"/webhooks/{created.thing.endpoint.id}"}
    return answer(
        _with_secret(created.thing),
        status=201,
        headers=headers | replay_headers(created.is_replay),
    )


@router.get(
    "",
    operation_id="list_webhooks",
    summary="List webhooks",
    response_model=Page[WebhookOut],
    responses=responses(422),
)
async def list_webhooks(use: Use, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Webhooks, newest first."""
    found = await use.webhook_endpoints.list_page(before=before(cursor), limit=limit + 1)
    return answer_page(Page[WebhookOut], found, limit, lambda endpoint: endpoint.id)


@router.get(
    "/{webhook_id}",
    operation_id="get_webhook",
    summary="Get a webhook",
    response_model=WebhookOut,
    responses=responses(404, 422),
)
async def get_webhook(use: Use, webhook_id: str) -> Response:
    """A webhook, without its secret."""
    return answer(WebhookOut.model_validate(await use.webhook_endpoints.get(webhook_id)))


@router.patch(
    "/{webhook_id}",
    operation_id="change_webhook",
    summary="Change a webhook",
    response_model=WebhookOut,
    responses=responses(404, 422),
)
async def change_webhook(use: Use, webhook_id: str, body: WebhookChangeIn) -> Response:
    """Send elsewhere or other events, disable, or enable again.

    While it is disabled nothing is put by for it; what was on its way waits for a day.
    """
    changes: dict[str, Any] = body.model_dump(exclude_none=True)
    changed = await use.webhook_endpoints.change(webhook_id, changes)
    return answer(WebhookOut.model_validate(changed))


@router.delete(
    "/{webhook_id}",
    operation_id="delete_webhook",
    summary="Delete a webhook",
    status_code=204,
    response_model=None,
    responses=responses(404, 422),
)
async def delete_webhook(use: Use, webhook_id: str) -> Response:
    """Forget the webhook and its deliveries; what is under way may still arrive."""
    await use.webhook_endpoints.remove(webhook_id)
    return Response(status_code=204)


@router.post(
    "/{webhook_id}/rotate-secret",
    operation_id="rotate_webhook_secret",
    summary="Give a webhook a new secret",
    response_model=WebhookSecretOut,
    responses=responses(404, 409, 422),
)
async def rotate_webhook_secret(use: Use, webhook_id: str, key: KeyHeader = None) -> Response:
    """For a day messages carry signatures of the old secret and of the new one."""
    promised = key and with_fingerprint("rotate_webhook_secret", key, webhook_id.encode())
    rotated = await use.webhook_endpoints.rotate_secret(webhook_id, promised or None)
    return answer(_with_secret(rotated.thing), headers=replay_headers(rotated.is_replay))


def _with_secret(revealed: Revealed) -> WebhookSecretOut:
    shown = WebhookOut.model_validate(revealed.endpoint)
    return WebhookSecretOut(**dict(shown), secret=revealed.secret)
