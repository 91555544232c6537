"""Chat completions over an HTTP client: OpenAI's shapes in, dicts or typed errors out."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from app.providers.local.inference.errors import (
    InferenceRejected,
    InferenceTimedOut,
    InferenceUnavailable,
    InferenceUnreachable,
)

_PATH = "chat/completions"
_END = "[DONE]"


def timeouts(answer_seconds: float) -> httpx.Timeout:
    """Little patience to connect, `answer_seconds` for the answer or its next piece."""
    return httpx.Timeout(answer_seconds, connect=10.0, write=30.0, pool=None)


async def complete(
    client: httpx.AsyncClient, model: str, request: Mapping[str, Any]
) -> dict[str, Any]:
    """The whole answer; raises InferenceRejected or InferenceUnavailable."""
    body = {**request, "model": model, "stream": False}
    body.pop("stream_options", None)
    with _translated():
        response = await client.post(_PATH, json=body)
        _raise_for(response)
        return _object(response.text)


async def stream(
    client: httpx.AsyncClient, model: str, request: Mapping[str, Any]
) -> AsyncGenerator[dict[str, Any]]:
    """The answer's chunks up to `[DONE]`; raises like `complete`, also under way."""
    body = {**request, "model": model, "stream": True}
    with _translated():
        async with client.stream("POST", _PATH, json=body) as response:
            if response.is_error:
                await response.aread()
            _raise_for(response)
            async for data in _events(response):
                if data == _END:
                    return
                chunk = _object(data)
                if "error" in chunk:
                    raise InferenceRejected.from_body(500, chunk)
                yield chunk
    raise InferenceUnavailable("The answer broke off.")


async def _events(response: httpx.Response) -> AsyncIterator[str]:
    async for line in response.aiter_lines():
        if line.startswith("data:"):
            yield line.removeprefix("data:").strip()


def _raise_for(response: httpx.Response) -> None:
    if not response.is_error:
        return
    try:
        body = response.json()
    except ValueError:
        body = response.text
    raise InferenceRejected.from_body(response.status_code, body)


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise InferenceUnavailable(f"The server sent no JSON: {text[:200]!r}") from error
    if not isinstance(value, dict):
        raise InferenceUnavailable(f"The server sent no JSON object: {text[:200]!r}")
    return value


@contextmanager
def _translated() -> Generator[None]:
    try:
        yield
    except httpx.ConnectError as error:
        raise InferenceUnreachable(f"Nobody listens: {error}") from error
    except httpx.TimeoutException as error:
        raise InferenceTimedOut("No answer came in time.") from error
    except httpx.HTTPError as error:
        raise InferenceUnavailable(f"The answer broke off: {error!r}") from error
