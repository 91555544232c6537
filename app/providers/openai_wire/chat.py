"""Asking models over OpenAI's wire."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import httpx2
import msgspec
from aiohttp import ClientError, ClientResponse
from openai import APIError

from app.domain.errors import Invalid, ModelUnavailable, Never
from app.providers.openai_wire.events import data_of
from app.providers.openai_wire.posting import Post
from app.providers.openai_wire.refusals import asking

_END_SECONDS = 0.1
"""How long the end of an answer may take after its last event."""

_GREETING: dict[str, Any] = {
    "messages": [{"role": "user", "content": "Hello"}],
    "max_completion_tokens": 1,
}


class Chat:
    """The models of one account by their names there."""

    def __init__(self, post: Post, *, vendor: str) -> None:
        self._post = post
        self._vendor = vendor

    async def chat(self, model: str, request: dict[str, Any]) -> dict[str, Any]:
        """One answer; `Invalid` for a request that the model cannot take."""
        with asking(self._vendor):
            async with self._post.sent(model, _question(model, request)) as answer:
                said = self._read(await answer.read())
        if not said.get("choices"):
            raise self._unreadable()
        return said

    async def chat_stream(
        self, model: str, request: dict[str, Any]
    ) -> AsyncIterator[dict[str, Any]]:
        """The same in chunks; one that breaks off raises `ModelUnavailable`."""
        is_whole = False
        question = _question(model, request, streams=True)
        with asking(self._vendor):
            async with self._post.sent(model, question) as answer:
                async for chunk in self._chunks(answer):
                    is_whole = is_whole or _is_last(chunk)
                    yield chunk
        if not is_whole:
            raise ModelUnavailable(f"The answer of {self._vendor} broke off.")

    async def probe(self, model: str) -> None:
        """Return once the model has answered; `Never` where it refuses to for good.

        A model that is not known yet is asked again: it was only just born.
        """
        try:
            await self.chat(model, _GREETING)
        except Invalid as error:
            if _is_about_length(error.detail):
                return
            raise Never(
                f"The tuned model does not answer: {error.detail}", code="artifact_unusable"
            ) from error

    async def _chunks(self, answer: ClientResponse) -> AsyncIterator[dict[str, Any]]:
        events = data_of(answer.content.iter_any())
        async for data in events:
            if data.startswith(b"[DONE]"):
                await _read_out(events)
                return
            chunk = self._read(data)
            if chunk.get("error"):
                raise _broken(chunk["error"], str(answer.url))
            yield chunk

    def _read(self, data: bytes) -> dict[str, Any]:
        try:
            return msgspec.json.decode(data, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise self._unreadable() from error

    def _unreadable(self) -> ModelUnavailable:
        return ModelUnavailable(f"{self._vendor} gave an answer that cannot be read.")


def _question(model: str, request: dict[str, Any], *, streams: bool = False) -> bytes:
    asked: dict[str, Any] = {"messages": [], **request, "model": model, "stream": True}
    if not streams:
        del asked["stream"]
    return msgspec.json.encode(asked)


async def _read_out(events: AsyncIterator[bytes]) -> None:
    """Read to the end of the answer, without which its connection could not be used again."""
    with suppress(TimeoutError, ClientError):
        async with asyncio.timeout(_END_SECONDS):
            async for _ in events:
                pass


def _broken(error: Any, url: str) -> APIError:
    """What a vendor says inside a stream that it breaks off, as the SDK would raise it."""
    said = error.get("message") if isinstance(error, dict) else None  # pyright: ignore[reportUnknownVariableType]
    message = said if isinstance(said, str) and said else "The answer broke off."
    return APIError(message, httpx2.Request("POST", url), body=error)


def _is_last(chunk: dict[str, Any]) -> bool:
    return any(choice.get("finish_reason") for choice in chunk.get("choices") or ())


def _is_about_length(message: str) -> bool:
    """A reasoning model may want more than the one token for itself: it lives all the same."""
    return "max_tokens" in message or "output limit" in message
