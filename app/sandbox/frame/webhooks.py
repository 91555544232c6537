"""Webhooks by the Standard Webhooks scheme: signed, sent when they happen or when told to."""

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

_PREFIX = "whsec_"
_TIMEOUT_SECONDS = 10


@dataclass(slots=True)
class Notice:
    """One webhook; `answers` are the statuses of its deliveries, None where nobody answered."""

    id: str
    payload: Mapping[str, Any]
    answers: list[int | None] = field(default_factory=list[int | None])


class Outbox:
    """All notices of a simulator, the oldest first."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        self._sending: set[asyncio.Task[int | None]] = set()

    def put(self, payload: Mapping[str, Any]) -> Notice:
        """Keep a notice that nobody has been told yet."""
        notice = Notice(f"wh_{secrets.token_hex(12)}", payload)
        self.notices.append(notice)
        return notice

    def send(self, notice: Notice, url: str, secret: str) -> None:
        """Deliver on the side, in the loop that runs now."""
        task = asyncio.create_task(self.deliver(notice, url, secret))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def deliver(
        self, notice: Notice, url: str, secret: str, *, age_seconds: float = 0
    ) -> int | None:
        """Deliver now, as if signed `age_seconds` ago; gives the status, None for no answer."""
        body = json.dumps(notice.payload).encode()
        headers = signed_headers(notice.id, body, secret, timestamp=time.time() - age_seconds)
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, trust_env=False) as client:
                answer = await client.post(url, content=body, headers=headers)
        except httpx.HTTPError:
            notice.answers.append(None)
            return None
        notice.answers.append(answer.status_code)
        return answer.status_code


def signed_headers(name: str, body: bytes, secret: str, *, timestamp: float) -> dict[str, str]:
    """The headers of a delivery; HMAC-SHA256 over `id.timestamp.body`, the secret in base 64.

    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    """
    stamp = str(int(timestamp))
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    digest = hmac.new(key, f"{name}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "content-type": "application/json",
        "webhook-id": name,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
