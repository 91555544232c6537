"""Whoever answers chat requests: our own worker process, or a server that speaks OpenAI's way."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any, Protocol

import httpx

from app.providers.local.inference.address import owner
from app.providers.local.inference.completions import complete, stream, timeouts
from app.providers.local.inference.errors import InferenceUnavailable, InferenceUnreachable
from app.providers.local.inference.spawning import WorkerCommand, start_worker

_LOOK_SECONDS = 0.05
_STOP_SECONDS = 20.0  # more than the worker's own grace for answers under way


class ChatModels(Protocol):
    """Models that can be asked by name; raises InferenceError's leaves and nothing else."""

    async def chat(self, model: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """A chat completion for a request in OpenAI's shape; `model` replaces its `model`."""
        ...

    def chat_stream(self, model: str, request: Mapping[str, Any]) -> AsyncGenerator[dict[str, Any]]:
        """The same answer as OpenAI's chunks; closing the iterator cancels the answer."""
        ...

    async def close(self) -> None:
        """Let go of connections; whoever answers goes on."""
        ...


class InferenceServer:
    """A server with OpenAI's HTTP interface, vLLM for one; `base_url` ends in `/v1`."""

    def __init__(
        self, base_url: str, *, api_key: str | None = None, answer_seconds: float = 600.0
    ) -> None:
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._client = httpx.AsyncClient(
            base_url=base_url, headers=headers, timeout=timeouts(answer_seconds)
        )

    async def chat(self, model: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """A chat completion; see `ChatModels`."""
        return await complete(self._client, model, request)

    def chat_stream(self, model: str, request: Mapping[str, Any]) -> AsyncGenerator[dict[str, Any]]:
        """The same answer as chunks; see `ChatModels`."""
        return stream(self._client, model, request)

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.aclose()


class InferenceWorker:
    """The worker process of one socket: found, or started when a call needs it.

    `model` is what `str(ModelHandle)` gives. Any number of these, in any number of processes,
    share the one worker. An instance belongs to one event loop.
    """

    def __init__(
        self,
        socket: Path,
        *,
        idle_seconds: float = 600.0,
        threads: int | None = None,
        max_models: int = 4,
        start_seconds: float = 120.0,
        answer_seconds: float = 600.0,
    ) -> None:
        self._socket = socket
        self._command = WorkerCommand(socket, idle_seconds, threads, max_models)
        self._start_seconds = start_seconds
        self._starting = asyncio.Lock()
        # A connection is made for each call: one that was kept could belong to a dead worker.
        self._transport = httpx.AsyncHTTPTransport(
            uds=str(socket), limits=httpx.Limits(max_keepalive_connections=0)
        )
        self._client = httpx.AsyncClient(
            transport=self._transport,
            base_url="http://worker/v1",
            timeout=timeouts(answer_seconds),
        )

    async def endpoint(self) -> httpx.AsyncHTTPTransport:
        """A transport to a worker that answered just now; starts one when there is none.

        Raises InferenceUnavailable, with the end of the worker's log, when none can be started.
        The transport is this object's own and is closed by `close`.
        """
        async with self._starting:
            await start_worker(self._command, self._answers, deadline_seconds=self._start_seconds)
        return self._transport

    async def health(self) -> dict[str, Any]:
        """The worker's own report: pid, what is loaded; InferenceUnavailable without a worker."""
        try:
            response = await self._client.get("http://worker/health", timeout=10.0)
        except httpx.HTTPError as error:
            raise InferenceUnavailable(f"No worker serves {self._socket}: {error!r}") from error
        return response.json()

    async def chat(self, model: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """A chat completion; see `ChatModels`."""
        try:
            return await complete(self._client, model, request)
        except InferenceUnreachable:
            await self.endpoint()
        return await complete(self._client, model, request)

    async def chat_stream(
        self, model: str, request: Mapping[str, Any]
    ) -> AsyncGenerator[dict[str, Any]]:
        """The same answer as chunks; see `ChatModels`."""
        try:
            async with aclosing(stream(self._client, model, request)) as chunks:
                async for chunk in chunks:
                    yield chunk
        except InferenceUnreachable:  # raised before the first chunk only
            await self.endpoint()
        else:
            return
        async with aclosing(stream(self._client, model, request)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def stop(self) -> None:
        """End the worker, whoever started it; answers under way get some seconds to finish."""
        pid = owner(self._socket)
        if pid is None:
            return
        deadline = time.monotonic() + _STOP_SECONDS
        _send(pid, signal.SIGTERM)
        while owner(self._socket) == pid:
            if time.monotonic() > deadline:
                _send(pid, signal.SIGKILL)
            await asyncio.sleep(_LOOK_SECONDS)

    async def close(self) -> None:
        """Let go of connections; the worker goes on until it is idle."""
        await self._client.aclose()

    async def _answers(self) -> bool:
        try:
            await self.health()
        except InferenceUnavailable:
            return False
        return True


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
