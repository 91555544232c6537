"""The worker's HTTP door: OpenAI's chat completions over one engine."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Coroutine
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from app.providers.local.inference.answers import Answer
from app.providers.local.inference.engine import Engine
from app.providers.local.inference.errors import InferenceRejected
from app.providers.local.inference.handles import ModelHandle
from app.providers.local.inference.loading import model_not_found
from app.providers.local.inference.requests import ChatRequest, read_chat_request
from app.providers.local.inference.shelf import ModelShelf

_CLIENT_CLOSED_REQUEST = 499
_Result = TypeVar("_Result")


class ClientGone(Exception):
    """Whoever asked has hung up."""


def build_app(engine: Engine, shelf: ModelShelf) -> FastAPI:
    """The routes; the engine must be started by whoever runs the app."""
    app = FastAPI(openapi_url=None)

    @app.get("/health")
    async def health() -> dict[str, Any]:
        return {
            "status": "ok",
            "pid": os.getpid(),
            "loaded": shelf.report,
            "largest_batch": engine.largest_batch,
        }

    @app.get("/v1/models")
    async def models() -> dict[str, Any]:
        return {"object": "list", "data": [_card(model) for model in _loaded(shelf)]}

    @app.post("/v1/chat/completions")
    async def chat_completions(request: Request) -> Response:
        chat = read_chat_request(await _body(request))
        handle = _handle(chat.model)
        if chat.stream:
            lines = _lines(engine, handle, chat)
            first = await _while_connected(request, _next(lines))
            return StreamingResponse(_guarded(first, lines), media_type="text/event-stream")
        return JSONResponse(await _while_connected(request, _whole(engine, handle, chat)))

    app.add_exception_handler(InferenceRejected, _refuse)
    app.add_exception_handler(ClientGone, _hang_up)
    return app


async def _body(request: Request) -> Any:
    try:
        return json.loads(await request.body())
    except ValueError as error:
        raise InferenceRejected(400, "invalid_json", f"The body is no JSON: {error}") from error


def _handle(model: str) -> ModelHandle:
    try:
        return ModelHandle.parse(model)
    except ValueError as error:
        raise model_not_found(str(error)) from error


async def _whole(engine: Engine, handle: ModelHandle, chat: ChatRequest) -> dict[str, Any]:
    with engine.answer(handle, chat) as events:
        return await Answer(chat).whole(events)


async def _lines(engine: Engine, handle: ModelHandle, chat: ChatRequest) -> AsyncIterator[str]:
    with engine.answer(handle, chat) as events:
        async for chunk in Answer(chat).chunks(events):
            yield _line(chunk)
    yield "data: [DONE]\n\n"


async def _next(lines: AsyncIterator[str]) -> str:
    return await anext(lines)


async def _guarded(first: str, rest: AsyncIterator[str]) -> AsyncIterator[str]:
    """The lines, the last one an error when the answer breaks off under way."""
    yield first
    try:
        async for line in rest:
            yield line
    except InferenceRejected as error:
        yield _line(error.to_body())


def _line(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"


async def _while_connected(request: Request, work: Coroutine[Any, Any, _Result]) -> _Result:
    """The work's result; the work is cancelled, and ClientGone raised, when the client leaves."""
    working = asyncio.create_task(work)
    leaving = asyncio.create_task(_disconnected(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _refuse(_request: Request, error: Exception) -> Response:
    assert isinstance(error, InferenceRejected)
    return JSONResponse(error.to_body(), status_code=error.status)


async def _hang_up(_request: Request, _error: Exception) -> Response:
    return Response(status_code=_CLIENT_CLOSED_REQUEST)


def _loaded(shelf: ModelShelf) -> list[str]:
    return [
        entry["model"]
        for base in shelf.report
        for entry in ({"model": base["model"]}, *base["adapters"])
    ]


def _card(model: str) -> dict[str, Any]:
    return {"id": model, "object": "model", "created": 0, "owned_by": "luthier"}
