"""Where a file may come from by its URL."""

from collections.abc import AsyncGenerator

from app.network.buckets import SCHEMES, Buckets
from app.network.downloads import Downloads


class RemoteFiles:
    """Downloads from anywhere, and objects from the operator's own stores."""

    def __init__(self, downloads: Downloads, buckets: Buckets) -> None:
        self._downloads = downloads
        self._buckets = buckets

    def pieces(self, url: str) -> AsyncGenerator[bytes]:
        """The file's bytes as they come; raises `UrlRefused`, `UrlUnreachable` while it does."""
        scheme, _, _ = url.partition("://")
        source = self._buckets if scheme in SCHEMES else self._downloads
        return source.pieces(url)
