"""Asking models over OpenAI's wire."""

from collections.abc import AsyncIterator
from typing import Any

from openai import AsyncOpenAI, AsyncStream

from app.domain.errors import Invalid, ModelUnavailable, Never
from app.providers.openai_wire.refusals import asking

# Answers go on as they came: the SDK's own method would build its models of every chunk, which
# takes most of an answer's time here.
_PATH = "/chat/completions"

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
        if not isinstance(answer, dict) or not answer.get("choices"):
            raise ModelUnavailable(f"{self._vendor} gave an answer that cannot be read.")
        return answer

    async def chat_stream(
        self, model: str, request: dict[str, Any]
    ) -> AsyncIterator[dict[str, Any]]:
        """The same in chunks; one that breaks off raises `ModelUnavailable`."""
        is_whole = False
        with asking(self._vendor):
            chunks = await self._client.post(
                _PATH,
                cast_to=object,
                body=_body(model, request, stream=True),
                options={"timeout": self._timeout},
                stream=True,
                stream_cls=AsyncStream[object],
            )
            async with chunks:
                async for chunk in chunks:
                    if isinstance(chunk, dict):
                        told: dict[str, Any] = chunk
                        is_whole = is_whole or _is_last(told)
                        yield told
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

    async def _ask(self, model: str, request: dict[str, Any]) -> Any:
        return await self._client.post(
            _PATH,
            cast_to=object,
            body=_body(model, request),
            options={"timeout": self._timeout},
        )


def _body(model: str, request: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The request as it goes out, asked of the model by its name there."""
    asked = {name: value for name, value in request.items() if name != "stream"}
    return {"messages": [], **asked, "model": model, **more}


def _is_last(chunk: dict[str, Any]) -> bool:
    return any(choice.get("finish_reason") for choice in chunk.get("choices") or ())


def _is_about_length(message: str) -> bool:
    """A reasoning model may want more than the one token for itself: it lives all the same."""
    return "max_tokens" in message or "output limit" in message
