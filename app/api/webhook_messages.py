"""The messages that webhooks send, as the service's own description shows them."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Header
from fastapi.openapi.models import Example
from pydantic import Field

from app.api.shapes import In
from app.domain.webhook_endpoints import EVENT_TYPES

router = APIRouter(tags=["webhooks"])


class WebhookSubject(In):
    """What a message is about; ask for the rest of it."""

    id: str = Field(description="An id, or an alias's name.")
    status: str = Field(default="", description="Of a job or an evaluation, when it was told.")
    details: dict[str, Any] = Field(description="What the event itself says.")


class WebhookMessage(In):
    """The body in the form `standard`, by Standard Webhooks."""

    type: str
    timestamp: str = Field(description="When it happened: RFC 3339 in UTC.")
    data: WebhookSubject


class OpenAIJobName(In):
    """The job by its name at `/openai/v1`."""

    id: str


class OpenAIMessage(In):
    """The body in the form `openai`."""

    id: str
    object: str = Field(examples=["event"])
    created_at: int
    type: str
    data: OpenAIJobName


MessageId = Annotated[
    str, Header(alias="webhook-id", description="The same at every try: know it again by this.")
]
SentAt = Annotated[
    int, Header(alias="webhook-timestamp", description="Of this try: seconds since 1970.")
]
Signature = Annotated[
    str,
    Header(
        alias="webhook-signature",
        description="`v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`; one for each secret "
        "that is valid, with spaces between.",
    ),
]


def _example(
    type: str, subject: str, status: str | None = None, **details: Any
) -> dict[str, Example]:
    data = {"id": subject, "status": status, "details": details}
    message = {"type": type, "timestamp": "2026-11-23T07:13:24.120Z", "data": data}
    return {type: Example(value=message)}


_ID = "01k8zq3v6m4y7d2n9h5c0x1b8t"

_JOBS = _example("job.succeeded", f"job_{_ID}", "succeeded") | _example(
    "job.failed", f"job_{_ID}", "failed", code="out_of_memory", message="It needs 30 GiB."
)
_EVALUATIONS = _example("evaluation.succeeded", f"eval_{_ID}", "succeeded")
_MODELS = _example("model.created", f"model_{_ID}", job_id=f"job_{_ID}") | _example(
    "model.retiring",
    f"model_{_ID}",
    provider="openai",
    base_model="gpt-4.1-mini-2025-04-14",
    ends_at="2027-02-01",
    days_left=70,
)
_ALIASES = _example("alias.moved", "support@prod", to_model=f"model_{_ID}")
_OPENAI = {
    "fine_tuning.job.succeeded": Example(
        value={
            "id": f"evt_{_ID}",
            "object": "event",
            "created_at": 1795418004,
            "type": "fine_tuning.job.succeeded",
            "data": {"id": f"ftjob-{_ID}"},
        }
    )
}


def _told(family: str) -> str:
    names = [f"`{name}`" for name in EVENT_TYPES if name.startswith(f"{family}.")]
    return f"`type` is one of {', '.join(names)}. Any 2xx takes the message."


@router.post(
    "job",
    operation_id="job_message",
    summary="Something happened to a job",
    status_code=204,
    description=_told("job"),
)
async def tell_of_job(
    id: MessageId,
    at: SentAt,
    signature: Signature,
    body: Annotated[WebhookMessage, Body(openapi_examples=_JOBS)],
) -> None:
    """Something happened to a job."""


@router.post(
    "evaluation",
    operation_id="evaluation_message",
    summary="Something happened to an evaluation",
    status_code=204,
    description=_told("evaluation"),
)
async def tell_of_evaluation(
    id: MessageId,
    at: SentAt,
    signature: Signature,
    body: Annotated[WebhookMessage, Body(openapi_examples=_EVALUATIONS)],
) -> None:
    """Something happened to an evaluation."""


@router.post(
    "model",
    operation_id="model_message",
    summary="Something happened to a model, or will",
    status_code=204,
    description=_told("model"),
)
async def tell_of_model(
    id: MessageId,
    at: SentAt,
    signature: Signature,
    body: Annotated[WebhookMessage, Body(openapi_examples=_MODELS)],
) -> None:
    """Something happened to a model, or will."""


@router.post(
    "alias",
    operation_id="alias_message",
    summary="Something happened to an alias",
    status_code=204,
    description=_told("alias"),
)
async def tell_of_alias(
    id: MessageId,
    at: SentAt,
    signature: Signature,
    body: Annotated[WebhookMessage, Body(openapi_examples=_ALIASES)],
) -> None:
    """Something happened to an alias."""


@router.post(
    "fine_tuning.job",
    operation_id="openai_job_message",
    summary="A job ended, in OpenAI's form",
    status_code=204,
)
async def tell_of_job_as_openai(
    id: MessageId,
    at: SentAt,
    signature: Signature,
    body: Annotated[OpenAIMessage, Body(openapi_examples=_OPENAI)],
) -> None:
    """`fine_tuning.job.succeeded`, `.failed` or `.cancelled`. Any 2xx takes the message."""


def describe(schema: dict[str, Any]) -> None:
    """Correct what FastAPI takes for granted: nobody's key is sent, and no refusal has a form."""
    for hook in schema["webhooks"].values():
        hook["post"]["security"] = []
        hook["post"]["responses"].pop("422")
