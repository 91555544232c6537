"""Asking models: our own worker, or the server that stands in its place, in the domain's words."""

import contextlib
from collections.abc import AsyncIterator, Generator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import structlog

from app.domain.errors import Fault, Invalid, ModelNotFound, ModelUnavailable, Never
from app.domain.provider import Artifact, Servable
from app.providers import readiness
from app.providers.local import INSTALL, SPEC, LocalOptions
from app.providers.local.base_models import find_base_model
from app.providers.local.inference.address import socket_path
from app.providers.local.inference.client import ChatModels, InferenceServer, InferenceWorker
from app.providers.local.inference.errors import InferenceRejected, InferenceUnavailable
from app.providers.local.inference.handles import ModelHandle

log = structlog.get_logger()


class Serving:
    """Answers for base models and for the artefacts under one root of run folders."""

    def __init__(self, options: LocalOptions, root: Path) -> None:
        self._root = root
        self._names_runs = options.inference_url is not None
        self._worker: InferenceWorker | None = None
        self._models = self._connect(options)

    async def probe(self, artifact: Artifact) -> None:
        """Let the worker load the artefact and answer with one token."""
        name = self._served_name(Servable(base_model="", artifact=artifact.handle))
        greeting = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 1}
        try:
            await self._models.chat(name, greeting)
        except InferenceRejected as error:
            if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
                raise
            raise Never(
                f"The trained model does not answer: {error.message}", code="artifact_unusable"
            ) from error

    async def chat(self, model: Servable, request: dict[str, Any]) -> dict[str, Any]:
        """One answer of the worker, or of the server that stands in its place."""
        self._require_packages()
        with _translated():
            return await self._models.chat(self._served_name(model), request)

    async def chat_stream(
        self, model: Servable, request: dict[str, Any]
    ) -> AsyncIterator[dict[str, Any]]:
        """The same in chunks."""
        self._require_packages()
        with _translated():
            async for chunk in self._models.chat_stream(self._served_name(model), request):
                yield chunk

    async def close(self) -> None:
        """Let go; a worker that is ours ends, and starts again when it is needed."""
        await self._models.close()
        if self._worker is not None:
            await self._worker.stop()

    def _require_packages(self) -> None:
        """A worker of ours needs what training needs; another's may have it elsewhere."""
        missing = readiness.missing_packages(SPEC) if self._worker is not None else []
        if missing:
            raise ModelUnavailable(
                f"Asking models on this machine needs {', '.join(missing)}: {INSTALL}."
            )

    def _connect(self, options: LocalOptions) -> ChatModels:
        if options.inference_url is not None:
            key = options.inference_api_key
            return InferenceServer(
                options.inference_url, api_key=key.get_secret_value() if key else None
            )
        worker = InferenceWorker(
            options.inference_socket or socket_path(self._root.parent),
            idle_seconds=options.inference_idle_seconds,
            threads=options.threads,
        )
        if options.inference_socket is None:
            self._worker = worker
        return worker

    def _served_name(self, model: Servable) -> str:
        """The handle that the worker loads, or the name that another server knows it by."""
        if self._names_runs:
            return model.artifact.split("/")[0] if model.artifact else model.base_model
        if model.artifact is None:
            return str(ModelHandle.base(find_base_model(model.base_model).model))
        folder = self._root / model.artifact
        if (folder / "adapter_config.json").is_file():
            return str(ModelHandle.adapter(folder))
        return str(ModelHandle.base(folder))


@contextlib.contextmanager
def _translated() -> Generator[None]:
    """The worker's errors in our words."""
    try:
        yield
    except InferenceRejected as error:
        if error.status == HTTPStatus.NOT_FOUND:
            raise ModelNotFound(error.message) from error
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise ModelUnavailable(error.message) from error
        fault = Fault(
            error.code or "invalid_request", error.message, error.param and f"/{error.param}"
        )
        raise Invalid(error.message, faults=[fault]) from error
    except InferenceUnavailable as error:
        # The end of the worker's log is for the operator and not for whoever asked.
        log.warning("inference_unavailable", problem=str(error))
        raise ModelUnavailable(
            "The model cannot answer now; the service's log says why."
        ) from error
