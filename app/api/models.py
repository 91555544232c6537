"""Models over HTTP: list them, ask them, remove them."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue

from app.api.dependencies import Use
from app.api.deployments import DeploymentOut
from app.api.jobs import DatasetRefOut, MethodOut
from app.api.problems import responses
from app.api.shapes import Cursor, Limit, Moment, Out, Page, answer, answer_page, before
from app.api.streams import EVENT_STREAM, data_frame
from app.domain.errors import LuthierError
from app.domain.lifecycle import days_of

router = APIRouter(prefix="/models", tags=["models"])


class ModelOut(Out):
    """A tuned model."""

    id: str = Field(examples=["model_01m83e5h8gwajxdy5wzxkfa82z"])
    name: str | None
    provider: str
    base_model: str
    parent_model: str | None = Field(validation_alias="parent_model_id")
    job: str | None = Field(
        validation_alias="job_id", description="Null, as what follows, where an import knew none."
    )
    dataset: DatasetRefOut | None
    method: MethodOut | None
    effective: dict[str, Any] = Field(description="Hyperparameters and versions as used.")
    kind: str = Field(description="`adapter` or `full`, where the weights are here.")
    sha256: str | None = Field(description="Of the weights, where they are here.")
    trained_tokens: int | None
    training_ends_at: date | None = Field(
        description="From this day on its base model is trained no more."
    )
    serving_ends_at: date | None = Field(description="From this day on it does not answer.")
    retires_in_days: int | None = Field(description="Negative once it is past.")
    deployment: DeploymentOut | None = Field(
        validation_alias="hosting", description="Null where none was ever asked for."
    )
    created_at: Moment


def _has_role(message: dict[str, JsonValue]) -> dict[str, JsonValue]:
    has_role = isinstance(message.get("role"), str)
    if not has_role:
        raise ValueError("a message needs a role")
    return message


Message = Annotated[
    dict[str, JsonValue],
    AfterValidator(_has_role),
    Field(json_schema_extra={"required": ["role"], "properties": {"role": {"type": "string"}}}),
]
"""One turn in OpenAI's form; what its role asks for is the provider's matter."""


class ChatIn(BaseModel):
    """OpenAI's request; what is not named here goes to the provider as it is."""

    model_config = ConfigDict(extra="allow")

    messages: list[Message] = Field(
        min_length=1, examples=[[{"role": "user", "content": "I was charged twice."}]]
    )
    stream: bool = False
    max_tokens: int | None = Field(default=None, ge=1)
    temperature: float | None = Field(default=None, ge=0, le=2)


class ChatUsageOut(Out):
    """What an answer took."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ChatChoiceOut(Out):
    """One answer."""

    index: int
    message: dict[str, Any]
    finish_reason: str | None


class ChatOut(Out):
    """OpenAI's answer."""

    id: str
    object: str
    created: int
    model: str
    choices: list[ChatChoiceOut]
    usage: ChatUsageOut | None


@router.get(
    "",
    operation_id="list_models",
    summary="List tuned models",
    response_model=Page[ModelOut],
    responses=responses(422),
)
async def list_models(
    use: Use,
    provider: str | None = None,
    retiring_within: Annotated[
        str | None,
        Query(
            pattern=r"^[Pp]?[0-9]{1,5}[dDwW]$",
            description="Only those that are served for no longer: `90d`, `12w` or ISO 8601's "
            "`P90D`; what is past counts too.",
            examples=["90d"],
        ),
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Tuned models, newest first."""
    found = await use.lifecycle.list_page(
        provider=provider,
        retiring_within=None if retiring_within is None else days_of(retiring_within),
        before=before(cursor),
        limit=limit + 1,
    )
    return answer_page(Page[ModelOut], found, limit, lambda model: model.id)


@router.post(
    "/{ref:path}/chat/completions",
    operation_id="create_chat_completion",
    summary="Ask a model",
    response_model=ChatOut,
    responses=responses(400, 404, 422)
    | {200: {"content": {EVENT_STREAM: {"schema": {"type": "string"}}}}},
)
async def create_chat_completion(use: Use, ref: str, body: ChatIn) -> Response:
    """OpenAI's request and answer, for a tuned model's id, `provider/base_model` or an alias."""
    request = body.model_dump(exclude_none=True, exclude={"model"})
    who = await use.models.resolve(ref)
    if not body.stream:
        return _json(await use.models.ask(who, request))
    chunks = await use.models.ask_stream(who, request)
    # The first chunk is awaited here, so that a refusal is still a problem answer.
    first = await anext(chunks, None)
    return StreamingResponse(
        _frames(first, chunks), media_type=EVENT_STREAM, headers={"Cache-Control": "no-store"}
    )


@router.get(
    "/{ref:path}",
    operation_id="get_model",
    summary="Get a tuned model",
    response_model=ModelOut,
    responses=responses(404),
)
async def get_model(use: Use, ref: str) -> Response:
    """The tuned model of that id, or that an alias points to."""
    return answer(ModelOut.model_validate(await use.lifecycle.get(ref)))


@router.delete(
    "/{ref:path}",
    operation_id="delete_model",
    summary="Delete a tuned model",
    status_code=204,
    response_class=Response,
    responses=responses(404, 409),
)
async def delete_model(use: Use, ref: str) -> Response:
    """Remove the model here and at its provider; its job stays."""
    await use.models.remove(ref)
    return Response(status_code=204)


async def _frames(
    first: dict[str, Any] | None, chunks: AsyncIterator[dict[str, Any]]
) -> AsyncIterator[bytes]:
    """OpenAI's stream; what breaks after it began can only be said inside it."""
    try:
        if first is not None:
            yield data_frame(_text(first))
        async for chunk in chunks:
            yield data_frame(_text(chunk))
    except LuthierError as error:
        refused = {"message": error.detail, "type": "server_error", "param": None}
        yield data_frame(_text({"error": refused | {"code": error.code}}))
    yield data_frame("[DONE]")


def _json(body: dict[str, Any]) -> Response:
    return Response(msgspec.json.encode(body), media_type="application/json")


def _text(body: dict[str, Any]) -> str:
    return msgspec.json.encode(body).decode()
