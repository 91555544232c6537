"""Asking models over OpenAI's wire."""

from collections.abc import AsyncIterator
from typing import Any

from openai import AsyncOpenAI

from app.domain.errors import Invalid, ModelUnavailable, Never
from app.providers.openai_wire.refusals import asking

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
            messages, rest = _parted(request)
            chunks = await self._client.chat.completions.create(
                model=model,
                messages=messages,
                stream=True,
                extra_body=rest,
                timeout=self._timeout,
            )
            async with chunks:
                async for chunk in chunks:
                    is_whole = is_whole or any(one.finish_reason for one in chunk.choices or ())
                    yield chunk.to_dict()
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
        messages, rest = _parted(request)
        answer: Any = await self._client.chat.completions.create(
            model=model, messages=messages, extra_body=rest, timeout=self._timeout
        )
        return answer.to_dict() if hasattr(answer, "to_dict") else None


def _parted(request: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The messages, and what else is asked for beyond the model's name."""
    rest = {
        name: value
        for name, value in request.items()
        if name not in ("messages", "model", "stream")
    }
    return request.get("messages", []), rest


def _is_about_length(message: str) -> bool:
    """A reasoning model may want more than the one token for itself: it lives all the same."""
    return "max_tokens" in message or "output limit" in message
