"""Chat completions: any model behind the service, asked as OpenAI's are."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from app.api.dependencies import Use
from app.api.models import Message
from app.api.openai.refusals import code_of, responses
from app.api.shapes import Out
from app.api.streams import EVENT_STREAM, data_frame
from app.domain.errors import LuthierError

router = APIRouter(prefix="/chat/completions", tags=["openai"])


class CompletionIn(BaseModel):
    """OpenAI's request; what is not named here goes to the provider as it is."""

    model_config = ConfigDict(extra="allow")

    model: str = Field(min_length=1, max_length=500, examples=["local/luthier-tiny"])
    messages: list[Message] = Field(
        min_length=1, examples=[[{"role": "user", "content": "I was charged twice."}]]
    )
    stream: bool | None = None


class CompletionOut(Out):
    """OpenAI's answer."""

    id: str
    object: str
    created: int
    model: str
    choices: list[dict[str, Any]]
    usage: dict[str, Any] | None


@router.post(
    "",
    operation_id="create_chat_completion",
    summary="Ask a model",
    response_model=CompletionOut,
    responses=responses(400, 404)
    | {200: {"content": {EVENT_STREAM: {"schema": {"type": "string"}}}}},
)
async def create_chat_completion(use: Use, body: CompletionIn) -> Response:
    """One answer, or with `stream` its chunks as server-sent events."""
    request = body.model_dump(exclude_none=True, exclude={"model"})
    who = await use.names.resolve(body.model)
    if not body.stream:
        said = await use.models.ask(who, request)
        return Response(msgspec.json.encode(_whole(said)), media_type="application/json")
    chunks = await use.models.ask_stream(who, request)
    # The first chunk is awaited here, so that a refusal is still an answer of its own.
    first = await anext(chunks, None)
    return StreamingResponse(
        _frames(first, chunks),
        media_type=EVENT_STREAM,
        headers={"Cache-Control": "no-store"},
    )


async def _frames(
    first: dict[str, Any] | None, chunks: AsyncIterator[dict[str, Any]]
) -> AsyncIterator[bytes]:
    """What breaks after the stream began can only be said inside it."""
    try:
        if first is not None:
            yield _frame(first)
        async for chunk in chunks:
            yield _frame(chunk)
    except LuthierError as error:
        refused = {"message": error.detail, "type": "server_error", "param": None}
        yield _frame({"error": refused | {"code": code_of(error)}})
    yield data_frame("[DONE]")


def _whole(said: dict[str, Any]) -> dict[str, Any]:
    """The answer with what OpenAI always tells, though there is nothing to tell."""
    choices = [
        {"logprobs": None}
        | choice
        | {"message": {"content": None, "refusal": None} | choice["message"]}
        for choice in said["choices"]
    ]
    return said | {"choices": choices}


def _frame(body: dict[str, Any]) -> bytes:
    return data_frame(msgspec.json.encode(body).decode())
