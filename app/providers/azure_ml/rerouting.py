"""Azure's transport with other addresses: a sovereign cloud's, or a simulator's."""

from collections.abc import Mapping
from typing import Any

from azure.core.pipeline.transport import RequestsTransport

ARM = "https://management.azure.com"


class ReroutedTransport(RequestsTransport):
    """Sends what is meant for one address to another, once the SDK has signed it.

    The SDK refuses tokens without TLS, and drops a base URL that is given to it in silence.
    """

    def __init__(self, addresses: Mapping[str, str], **options: Any) -> None:
        super().__init__(**options)
        self._addresses = addresses

    def send(self, request: Any, **options: Any) -> Any:
        """Send one request; the answer is the SDK's to judge."""
        for theirs, ours in self._addresses.items():
            if request.url.startswith(theirs):
                request.url = ours + request.url.removeprefix(theirs)
        return super().send(request, **options)
