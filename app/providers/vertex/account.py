"""Google's clients of one account, made when first needed, and the threads that they run in."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import httpx

from app.domain.errors import YourTurn
from app.providers import readiness
from app.providers.loopback import is_plain_loopback
from app.providers.vertex import SPEC, VertexOptions

if TYPE_CHECKING:
    from google.auth.credentials import Credentials
    from google.cloud.aiplatform_v1 import (
        EndpointServiceClient,
        GenAiTuningServiceClient,
        ModelServiceClient,
    )
    from google.cloud.storage import Client as StorageClient
    from google.genai import Client as GenaiClient

THREADS = 8
"""At most so many calls of Google's synchronous clients at a time."""

TIMEOUT_SECONDS = 30.0

ANSWER_SECONDS = 600.0

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_Said = ParamSpec("_Said")
_Result = TypeVar("_Result")


class Account:
    """One project in one location; `repr` shows no credentials, for it holds no text of them."""

    def __init__(self, options: VertexOptions) -> None:
        self._options = options
        self._threads: ThreadPoolExecutor | None = None
        self._answers: httpx.AsyncClient | None = None
        self._opening = asyncio.Lock()

    @property
    def parent(self) -> str:
        """What everything is created in: `projects/../locations/..`."""
        return f"projects/{self._options.project}/locations/{self._options.location}"

    async def run(
        self, call: Callable[_Said, _Result], *args: _Said.args, **kwargs: _Said.kwargs
    ) -> _Result:
        """One synchronous call, in a thread of ours."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="vertex")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(call, *args, **kwargs))

    async def open(self) -> None:
        """Load the libraries and the credentials, which may take seconds, off the event loop."""
        readiness.require_packages(SPEC)
        async with self._opening:
            await self.run(lambda: (self.tuning, self.genai))

    @cached_property
    def tuning(self) -> "GenAiTuningServiceClient":
        """Tuning jobs as the stable API has them."""
        from google.cloud.aiplatform_v1 import GenAiTuningServiceClient

        return GenAiTuningServiceClient(**self._rest)

    @cached_property
    def models(self) -> "ModelServiceClient":
        """The model registry."""
        from google.cloud.aiplatform_v1 import ModelServiceClient

        return ModelServiceClient(**self._rest)

    @cached_property
    def endpoints(self) -> "EndpointServiceClient":
        """What answers for tuned models."""
        from google.cloud.aiplatform_v1 import EndpointServiceClient

        return EndpointServiceClient(**self._rest)

    @cached_property
    def genai(self) -> "GenaiClient":
        """Answers, preference tuning, and looks that keep Google's own words for a state."""
        from google.genai import Client, types

        # With aiohttp its client would send a request a second time after a lost connection,
        # creates included; over httpx it never does.
        self._answers = httpx.AsyncClient(timeout=ANSWER_SECONDS)
        return Client(
            vertexai=True,
            project=self._options.project,
            location=self._options.location,
            credentials=self._credentials,
            http_options=types.HttpOptions(
                base_url=self._options.api_endpoint,
                timeout=int(ANSWER_SECONDS * 1000),
                httpx_async_client=self._answers,
            ),
        )

    @cached_property
    def storage(self) -> "StorageClient":
        """Cloud Storage."""
        from google.cloud.storage import Client

        endpoint = self._options.storage_endpoint
        options = {"api_endpoint": endpoint} if endpoint else None
        return Client(
            project=self._options.project, credentials=self._credentials, client_options=options
        )

    async def close(self) -> None:
        """Let go of connections and threads."""
        if self._answers is not None:
            await self._answers.aclose()
        made = vars(self)
        for name in ("tuning", "models", "endpoints"):
            if name in made:
                made[name].transport.close()
        for name in ("genai", "storage"):
            if name in made:
                made[name].close()
        if self._threads is not None:
            self._threads.shutdown(wait=False)

    @cached_property
    def _rest(self) -> dict[str, Any]:
        from google.api_core.client_options import ClientOptions

        location = self._options.location
        endpoint = self._options.api_endpoint or f"https://{location}-aiplatform.googleapis.com"
        return {
            "credentials": self._credentials,
            "transport": "rest",
            "client_options": ClientOptions(api_endpoint=endpoint),
        }

    @cached_property
    def _credentials(self) -> "Credentials":
        from google.auth import default
        from google.oauth2.credentials import Credentials
        from google.oauth2.service_account import Credentials as ServiceAccount

        file = self._options.credentials_file
        if file is not None:
            try:
                return ServiceAccount.from_service_account_file(str(file), scopes=[_SCOPE])
            except (OSError, ValueError) as error:
                raise YourTurn(f"credentials_file {file} cannot be read: {error}") from error
        if is_plain_loopback(self._options.api_endpoint):
            return Credentials(token="loopback")  # noqa: S106 - opens nothing but a simulator
        return default(scopes=[_SCOPE])[0]
