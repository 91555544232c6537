"""Asking models on Vertex AI: a tuned one by its endpoint, a base model by its name."""

import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from app.domain.errors import ModelUnavailable, Never
from app.domain.provider import Artifact, Servable
from app.providers.vertex.account import Account
from app.providers.vertex.artifacts import Tuned
from app.providers.vertex.questions import Chunks, Question, completion, question
from app.providers.vertex.refusals import asking, probing

if TYPE_CHECKING:
    from google.genai.types import GenerateContentResponse

_PROBE = Question([{"role": "user", "parts": [{"text": "Hello"}]}], {"maxOutputTokens": 1})


class Serving:
    """The models of one account that answer."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def chat(self, model: Servable, request: dict[str, Any]) -> dict[str, Any]:
        """One answer; raises `Invalid` or `ModelUnavailable`."""
        asked = question(request)
        with asking():
            answer = await self._generate(_address(model), asked)
        return completion(answer, model=model.base_model, created=int(time.time()))

    async def chat_stream(
        self, model: Servable, request: dict[str, Any]
    ) -> AsyncIterator[dict[str, Any]]:
        """The same as chunks; one that breaks off raises `ModelUnavailable`."""
        asked = question(request)
        with_usage = bool((request.get("stream_options") or {}).get("include_usage"))
        chunks = Chunks(model=model.base_model, created=int(time.time()), with_usage=with_usage)
        with asking():
            await self._account.open()
            contents, config = _typed(asked)
            stream = await self._account.genai.aio.models.generate_content_stream(
                model=_address(model), contents=contents, config=config
            )
            async for piece in stream:
                for chunk in chunks.of(_plain(piece)):
                    yield chunk
        if not chunks.is_whole:
            raise ModelUnavailable("The answer broke off.")

    async def probe(self, artifact: Artifact) -> None:
        """Ask for one token; an empty answer is one too, for a model may think first."""
        tuned = Tuned.parse(artifact.handle)
        if tuned.endpoint is None:
            raise Never("Google deployed the tuned model nowhere.", code="artifact_unusable")
        with probing():
            await self._generate(tuned.endpoint, _PROBE)

    async def _generate(self, address: str, asked: Question) -> dict[str, Any]:
        await self._account.open()
        contents, config = _typed(asked)
        answer = await self._account.genai.aio.models.generate_content(
            model=address, contents=contents, config=config
        )
        return _plain(answer)


def _address(model: Servable) -> str:
    if model.artifact is None:
        return model.base_model
    endpoint = Tuned.parse(model.artifact).endpoint
    if endpoint is None:
        raise ModelUnavailable("Google deployed the tuned model nowhere; deploy it in the console.")
    return endpoint


def _typed(asked: Question) -> tuple[Any, Any]:
    from google.genai import types

    return (
        [types.Content.model_validate(content) for content in asked.contents],
        types.GenerateContentConfig.model_validate(asked.config),
    )


def _plain(answer: "GenerateContentResponse") -> dict[str, Any]:
    return answer.model_dump(
        mode="json", by_alias=True, exclude_none=True, exclude={"sdk_http_response", "parsed"}
    )
