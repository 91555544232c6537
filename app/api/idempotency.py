"""The Idempotency-Key header: which first answer a repeated request gets."""

import hashlib
from typing import Annotated

from fastapi import Header
from pydantic import BaseModel

from app.domain.idempotency import Idempotency

KeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        description="The same key with the same body gives the first answer again.",
    ),
]


def key_for(operation: str, key: str | None, body: BaseModel) -> Idempotency | None:
    """The key of one operation, with the fingerprint of the body as it was understood."""
    if key is None:
        return None
    return with_fingerprint(operation, key, body.model_dump_json().encode())


def with_fingerprint(operation: str, key: str, content: bytes) -> Idempotency:
    """The key of one operation, with the fingerprint of any content."""
    return Idempotency(operation, key, hashlib.sha256(content).hexdigest())


def replay_headers(is_replay: bool) -> dict[str, str]:
    """What tells a client that the answer is an old one."""
    return {"Idempotent-Replayed": "true"} if is_replay else {}
