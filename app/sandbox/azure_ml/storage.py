"""Blob storage: blobs put whole or in blocks, never over one that is there unless it is meant."""

import re
import secrets
from dataclasses import dataclass
from urllib.parse import unquote
from xml.sax.saxutils import escape

from app.sandbox.azure_ml.identity import http_date
from app.sandbox.frame.clock import Clock
from app.sandbox.frame.exchange import Asked, Refused, Reply

CONTAINER = "azureml-blobstore"

DATASTORE = "workspaceblobstore"

_ADDRESS = re.compile(r"azureml://datastores/(?P<datastore>[\w-]+)/paths/(?P<path>.+)")
_BYTES = "application/octet-stream"
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_EXISTS = 409
_BEYOND = 416


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes, and when and as what they were written."""

    content: bytes
    written_at: float
    tag: str


class Storage:
    """The blobs of the workspace's container, by path."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._blocks: dict[tuple[str, str], bytes] = {}
        self.blobs: dict[str, Blob] = {}
        self.writes = 0

    def put(self, asked: Asked) -> Reply:
        """PUT: a whole blob, one block, or the list that makes blocks a blob."""
        path = _path(asked)
        match asked.query.get("comp"):
            case "block":
                self._blocks[path, str(asked.query["blockid"])] = asked.content
                return Reply.empty(status=201)
            case "blocklist":
                return self._write(path, self._joined(path, asked.content), asked)
            case _:
                return self._write(path, asked.content, asked)

    def get(self, asked: Asked) -> Reply:
        """GET and HEAD: the bytes, or a range of them."""
        blob = self._named(asked)
        headers = self._headers(blob)
        wanted = asked.headers.get("x-ms-range") or asked.headers.get("range")
        if wanted is None:
            headers["content-length"] = str(len(blob.content))
            return Reply(pieces=[blob.content], media_type=_BYTES, headers=headers)
        match = _RANGE.fullmatch(wanted)
        assert match is not None
        start, size = int(match[1]), len(blob.content)
        if start >= size:
            raise Refused(_BEYOND, "The range specified is invalid.", code="InvalidRange")
        end = min(int(match[2] or size - 1), size - 1)
        headers["content-range"] = f"bytes {start}-{end}/{size}"
        piece = blob.content[start : end + 1]
        return Reply(pieces=[piece], status=206, media_type=_BYTES, headers=headers)

    def list(self, asked: Asked) -> Reply:
        """GET ?restype=container&comp=list"""
        prefix = str(asked.query.get("prefix", ""))
        items = "".join(
            f"<Blob><Name>{escape(path)}</Name><Properties>"
            f"<Content-Length>{len(self.blobs[path].content)}</Content-Length>"
            "</Properties></Blob>"
            for path in sorted(self.blobs)
            if path.startswith(prefix)
        )
        body = (
            '<?xml version="1.0" encoding="utf-8"?>'
            f'<EnumerationResults ServiceEndpoint="sandbox" ContainerName="{CONTAINER}">'
            f"<Blobs>{items}</Blobs><NextMarker/></EnumerationResults>"
        )
        return Reply(pieces=[body.encode()], media_type="application/xml")

    def delete(self, asked: Asked) -> Reply:
        """DELETE"""
        self._named(asked)
        del self.blobs[_path(asked)]
        return Reply.empty(status=202)

    def read(self, address: str) -> bytes | None:
        """The bytes behind an `azureml://` address; None where there are none."""
        match = _ADDRESS.fullmatch(address)
        if match is None or match["datastore"] != DATASTORE:
            return None
        blob = self.blobs.get(match["path"])
        return None if blob is None else blob.content

    def store(self, path: str, content: bytes) -> None:
        """Write a blob as a job's container would, over what was there."""
        self.blobs[path] = Blob(content, self._clock.now(), f'"{secrets.token_hex(8)}"')
        self.writes += 1

    def _write(self, path: str, content: bytes, asked: Asked) -> Reply:
        if asked.headers.get("if-none-match") == "*" and path in self.blobs:
            raise Refused(_EXISTS, "The specified blob already exists.", code="BlobAlreadyExists")
        self.store(path, content)
        return Reply.empty(status=201, headers=self._headers(self.blobs[path]))

    def _joined(self, path: str, listed: bytes) -> bytes:
        names = re.findall(r"<(?:Latest|Uncommitted|Committed)>([^<]+)<", listed.decode())
        return b"".join(self._blocks.pop((path, name)) for name in names)

    def _named(self, asked: Asked) -> Blob:
        blob = self.blobs.get(_path(asked))
        if blob is None:
            raise Refused(404, "The specified blob does not exist.", code="BlobNotFound")
        return blob

    def _headers(self, blob: Blob) -> dict[str, str]:
        return {
            "etag": blob.tag,
            "last-modified": http_date(blob.written_at),
            "x-ms-blob-type": "BlockBlob",
            "x-ms-creation-time": http_date(blob.written_at),
        }


def _path(asked: Asked) -> str:
    return unquote(asked.names["blob"])
