"""Asking models over OpenAI's wire."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import httpx2
import msgspec
from openai import APIError, AsyncOpenAI

from app.domain.errors import Invalid, ModelUnavailable, Never
from app.providers.openai_wire.events import data_of
from app.providers.openai_wire.refusals import asking

# The SDK sends and refuses; what is answered is read here, because its models of every chunk, and
# even its plain reading of a stream, would take most of an answer's time.
_PATH = "/chat/completions"

_END_SECONDS = 0.1
"""How long the end of an answer may take after its last event."""

_GREETING: dict[str, Any] = {
    "messages": [{"role": "user", "content": "Hello"}],
    "max_completion_tokens": 1,
}


class Chat:
    """The models of one account by their names there; `timeout` is for one answer, in seconds."""

    def __init__(self, client: AsyncOpenAI, *, vendor: str, timeout: float) -> None:
        self._client = client
        self._vendor = vendor
        self._timeout = timeout

    async def chat(self, model: str, request: dict[str, Any]) -> dict[str, Any]:
        """One answer; `Invalid` for a request that the model cannot take."""
        with asking(self._vendor):
            answer = await self._ask(model, request)
            said = self._read(answer.content)
        if not said.get("choices"):
            raise self._unreadable()
        return said

    async def chat_stream(
        self, model: str, request: dict[str, Any]
    ) -> AsyncIterator[dict[str, Any]]:
        """The same in chunks; one that breaks off raises `ModelUnavailable`."""
        is_whole = False
        with asking(self._vendor):
            answer = await self._ask(model, request, stream=True)
            try:
                async for chunk in self._chunks(answer):
                    is_whole = is_whole or _is_last(chunk)
                    yield chunk
            finally:
                await answer.aclose()
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

    async def _ask(
        self, model: str, request: dict[str, Any], *, stream: bool = False
    ) -> httpx2.Response:
        """The vendor's answer; its body is still to be read where it streams."""
        asked = {name: value for name, value in request.items() if name != "stream"}
        return await self._client.post(
            _PATH,
            cast_to=httpx2.Response,
            body={"messages": [], **asked, "model": model} | ({"stream": True} if stream else {}),
            options={"timeout": self._timeout},
            stream=stream,
        )

    async def _chunks(self, answer: httpx2.Response) -> AsyncIterator[dict[str, Any]]:
        events = data_of(answer.aiter_bytes())
        async for data in events:
            if data.startswith(b"[DONE]"):
                await _read_out(events)
                return
            chunk = self._read(data)
            if chunk.get("error"):
                raise _broken(chunk["error"], answer.request)
            yield chunk

    def _read(self, data: bytes) -> dict[str, Any]:
        try:
            return msgspec.json.decode(data, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise self._unreadable() from error

    def _unreadable(self) -> ModelUnavailable:
        return ModelUnavailable(f"{self._vendor} gave an answer that cannot be read.")


async def _read_out(events: AsyncIterator[bytes]) -> None:
    """Read to the end of the answer, without which its connection could not be used again."""
    with suppress(TimeoutError, httpx2.HTTPError):
        async with asyncio.timeout(_END_SECONDS):
            async for _ in events:
                pass


def _broken(error: Any, request: httpx2.Request) -> APIError:
    """What a vendor says inside a stream that it breaks off, as the SDK would raise it."""
    said = error.get("message") if isinstance(error, dict) else None  # pyright: ignore[reportUnknownVariableType]
    message = said if isinstance(said, str) and said else "The answer broke off."
    return APIError(message, request, body=error)


def _is_last(chunk: dict[str, Any]) -> bool:
    return any(choice.get("finish_reason") for choice in chunk.get("choices") or ())


def _is_about_length(message: str) -> bool:
    """A reasoning model may want more than the one token for itself: it lives all the same."""
    return "max_tokens" in message or "output limit" in message
