"""Azure's clients of one workspace, made when first needed, and the threads that they run in."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from app.providers import readiness
from app.providers.azure_ml import SPEC, AzureMLOptions
from app.providers.loopback import is_plain_loopback

if TYPE_CHECKING:
    from azure.ai.ml import MLClient
    from azure.core.credentials import AccessToken, TokenCredential
    from azure.storage.blob import ContainerClient

THREADS = 8
"""At most so many calls of Azure's synchronous clients at a time."""

CONNECT_SECONDS = 10
READ_SECONDS = 30
UPLOAD_SECONDS = 300

BLOCK_BYTES = 32 * 1024 * 1024
"""A larger file is sent in blocks of this size."""

SCOPE = "https://management.azure.com/.default"

_TOKEN_SECONDS = 3600
_Said = ParamSpec("_Said")
_Result = TypeVar("_Result")


class Account:
    """One workspace; `repr` shows no credentials, for it holds no text of them."""

    def __init__(self, options: AzureMLOptions) -> None:
        self._options = options
        self._threads: ThreadPoolExecutor | None = None
        self._opening = asyncio.Lock()

    @property
    def scope(self) -> str:
        """The workspace's resource id."""
        options = self._options
        return (
            f"/subscriptions/{options.subscription_id}/resourceGroups/{options.resource_group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{options.workspace}"
        )

    @property
    def arm(self) -> str:
        """Azure Resource Manager's address, without a slash at its end."""
        return (self._options.arm_endpoint or "https://management.azure.com").rstrip("/")

    async def run(
        self, call: Callable[_Said, _Result], *args: _Said.args, **kwargs: _Said.kwargs
    ) -> _Result:
        """One synchronous call, in a thread of ours."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="azure-ml")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(call, *args, **kwargs))

    async def open(self) -> None:
        """Load the libraries and the client, which may take seconds, off the event loop."""
        readiness.require_packages(SPEC)
        async with self._opening:
            await self.run(lambda: self.ml)

    def token(self) -> str:
        """A token for Azure's REST APIs; the credential keeps it while it lasts."""
        return self._credential.get_token(SCOPE).token

    @cached_property
    def ml(self) -> "MLClient":
        """Jobs, models and datastores; nothing is ever sent twice by itself."""
        from azure.ai.ml import MLClient

        from app.providers.azure_ml.rerouting import ARM, ReroutedTransport

        # At each look it says that it is experimental, or whose page the job's is.
        logging.getLogger("azure.ai.ml").setLevel(logging.ERROR)
        options = self._options
        return MLClient(
            self._credential,
            options.subscription_id,
            options.resource_group,
            options.workspace,
            transport=ReroutedTransport(
                {ARM: self.arm},
                connection_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
            ),
            retry_total=0,
            enable_telemetry=False,
            show_progress=False,
        )

    @cached_property
    def datastore(self) -> Any:
        """The workspace's default datastore: name, account_name, container_name."""
        return self.ml.datastores.get_default()

    @cached_property
    def container(self) -> "ContainerClient":
        """The container behind the default datastore."""
        from azure.storage.blob import ContainerClient

        from app.providers.azure_ml.rerouting import ReroutedTransport

        theirs = f"https://{self.datastore.account_name}.blob.core.windows.net"
        ours = (self._options.storage_endpoint or theirs).rstrip("/")
        return ContainerClient(
            theirs,
            self.datastore.container_name,
            credential=self._credential,
            transport=ReroutedTransport(
                {theirs: ours}, connection_timeout=CONNECT_SECONDS, read_timeout=UPLOAD_SECONDS
            ),
            retry_total=0,
            max_single_put_size=BLOCK_BYTES,
            max_block_size=BLOCK_BYTES,
        )

    async def close(self) -> None:
        """Let go of threads; the clients hold no connection that would keep anything busy."""
        if self._threads is not None:
            self._threads.shutdown(wait=False)

    @cached_property
    def _credential(self) -> "TokenCredential":
        from azure.identity import DefaultAzureCredential

        if is_plain_loopback(self._options.arm_endpoint):
            return _Loopback()
        return DefaultAzureCredential()


class _Loopback:
    """What is shown to a simulator; it opens nothing."""

    def get_token(self, *scopes: str, **_: Any) -> "AccessToken":
        from azure.core.credentials import AccessToken

        return AccessToken("loopback", int(time.time()) + _TOKEN_SECONDS)
