"""Cloud Storage's JSON API: objects put in one request or in several, checked by checksum."""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google_crc32c import Checksum

from app.sandbox.frame.clock import Clock, moment
from app.sandbox.frame.exchange import Asked, Refused, Reply
from app.sandbox.vertex.conditions import Conditions

_MISMATCH = 412
_GOES_ON = 308


@dataclass(slots=True)
class Session:
    """A resumable upload under way."""

    bucket: str
    resource: dict[str, Any]
    query: Mapping[str, Any]
    content: bytes = b""


class Storage:
    """The objects of all buckets, by `(bucket, name)`."""

    def __init__(self, conditions: Conditions, clock: Clock) -> None:
        self._conditions = conditions
        self._clock = clock
        self._sessions: dict[str, Session] = {}
        self._generations = 0
        self.objects: dict[tuple[str, str], dict[str, Any]] = {}
        self.contents: dict[tuple[str, str], bytes] = {}
        self.writes = 0

    def bucket(self, asked: Asked) -> Reply:
        """GET /b/{bucket}"""
        name = self._bucket(asked)
        return Reply.of({"kind": "storage#bucket", "name": name, "location": "US-CENTRAL1"})

    def insert(self, asked: Asked) -> Reply:
        """POST /upload/…/o: whole with its metadata, or the beginning of a session."""
        bucket = self._bucket(asked)
        if asked.query["uploadType"] == "resumable":
            return self._begin(bucket, asked)
        resource, content = _related(asked)
        return Reply.of(self._write(bucket, resource, content, asked.query))

    def go_on(self, asked: Asked) -> Reply:
        """PUT /upload/…/o?upload_id=…: the next piece, or a question how far it came."""
        session = self._sessions.get(asked.query["upload_id"])
        if session is None:
            raise Refused(404, "There is no such upload.")
        span, _, total = asked.headers["content-range"].removeprefix("bytes ").partition("/")
        if span != "*":
            start = int(span.partition("-")[0])
            session.content = session.content[:start] + asked.content
        if total == "*" or len(session.content) < int(total):
            return _incomplete(len(session.content))
        del self._sessions[asked.query["upload_id"]]
        return Reply.of(
            self._write(session.bucket, session.resource, session.content, session.query)
        )

    def get(self, asked: Asked) -> Reply:
        """GET /b/{bucket}/o/{object}: what is known of it, or the bytes with `alt=media`."""
        key = self._named(asked)
        if asked.query.get("alt") == "media":
            return Reply(
                pieces=[self.contents[key]],
                media_type="application/octet-stream",
                headers={"x-goog-hash": f"crc32c={self.objects[key]['crc32c']}"},
            )
        return Reply.of(self.objects[key])

    def list(self, asked: Asked) -> Reply:
        """GET /b/{bucket}/o"""
        bucket = self._bucket(asked)
        prefix = asked.query.get("prefix", "")
        names = [name for inside, name in self.objects if inside == bucket]
        items = [self.objects[bucket, name] for name in sorted(names) if name.startswith(prefix)]
        return Reply.of({"kind": "storage#objects", "items": items})

    def delete(self, asked: Asked) -> Reply:
        """DELETE /b/{bucket}/o/{object}"""
        key = self._named(asked)
        del self.objects[key], self.contents[key]
        return Reply.empty(status=204)

    def read(self, address: str) -> bytes | None:
        """The bytes behind a `gs://` address."""
        bucket, _, name = address.removeprefix("gs://").partition("/")
        return self.contents.get((bucket, name))

    def put(self, bucket: str, name: str, content: bytes) -> None:
        """Write an object as if somebody else had."""
        self._write(bucket, {"name": name}, content, {})

    def _begin(self, bucket: str, asked: Asked) -> Reply:
        resource = dict(asked.body or {})
        if "name" in asked.query:
            resource["name"] = asked.query["name"]
        self._check_generation(bucket, resource["name"], asked.query)
        upload = secrets.token_urlsafe(16)
        self._sessions[upload] = Session(bucket, resource, asked.query)
        place = f"http://{asked.headers['host']}{asked.path}?uploadType=resumable"
        location = {"location": f"{place}&upload_id={upload}"}
        return Reply.empty(headers=location)

    def _write(
        self, bucket: str, resource: Mapping[str, Any], content: bytes, query: Mapping[str, Any]
    ) -> dict[str, Any]:
        name = str(query.get("name") or resource["name"])
        self._check_generation(bucket, name, query)
        checksum = base64.b64encode(Checksum(content).digest()).decode()
        if resource.get("crc32c", checksum) != checksum:
            raise Refused(400, f"Provided CRC32C does not match calculated CRC32C {checksum}.")
        self._generations += 1
        self.writes += 1
        self.contents[bucket, name] = content
        self.objects[bucket, name] = {
            "kind": "storage#object",
            "id": f"{bucket}/{name}/{self._generations}",
            "bucket": bucket,
            "name": name,
            "generation": str(self._generations),
            "metageneration": "1",
            "contentType": resource.get("contentType", "application/octet-stream"),
            "size": str(len(content)),
            "crc32c": checksum,
            "md5Hash": base64.b64encode(
                hashlib.md5(content, usedforsecurity=False).digest()
            ).decode(),
            "timeCreated": moment(self._clock.now()),
            "updated": moment(self._clock.now()),
        }
        return self.objects[bucket, name]

    def _check_generation(self, bucket: str, name: str, query: Mapping[str, Any]) -> None:
        wanted = query.get("ifGenerationMatch")
        if wanted is None:
            return
        there = self.objects.get((bucket, name), {}).get("generation", "0")
        if wanted != there:
            raise Refused(
                _MISMATCH, "At least one of the pre-conditions you specified did not hold."
            )

    def _bucket(self, asked: Asked) -> str:
        bucket = asked.names["bucket"]
        if bucket not in self._conditions.buckets:
            raise Refused(404, "The specified bucket does not exist.")
        return bucket

    def _named(self, asked: Asked) -> tuple[str, str]:
        key = (self._bucket(asked), asked.names["object"])
        if key not in self.objects:
            raise Refused(404, f"No such object: {'/'.join(key)}")
        return key


def _related(asked: Asked) -> tuple[dict[str, Any], bytes]:
    """The metadata and the bytes of `multipart/related`, which Python's own reader would bend."""
    if asked.query["uploadType"] == "media":
        return {"contentType": asked.headers.get("content-type")}, asked.content
    boundary = asked.headers["content-type"].partition("boundary=")[2].strip('"').encode()
    _, metadata, rest = asked.content.split(b"--" + boundary + b"\r\n", 2)
    content = rest.partition(b"\r\n\r\n")[2].rpartition(b"\r\n--" + boundary)[0]
    return json.loads(metadata.partition(b"\r\n\r\n")[2]), content


def _incomplete(size: int) -> Reply:
    headers = {"range": f"bytes=0-{size - 1}"} if size else {}
    return Reply.empty(status=_GOES_ON, headers=headers)
