"""Webhooks of OpenAI, which sign as Standard Webhooks do: verified here without the SDK."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

import msgspec

from app.domain.errors import Invalid, Unauthorized

TOLERANCE_SECONDS = 300
"""How far the sender's clock may be off, and how old a message may be, both ways."""


class _Data(msgspec.Struct):
    id: str


class _Event(msgspec.Struct):
    type: str
    data: _Data


def job_of(headers: Mapping[str, str], body: bytes, *, secret: str, now: float) -> str | None:
    """The job that a signed message is about; None for a message about something else.

    `now` is in seconds since 1970; header names are lower case. Raises `Unauthorized` for what is
    not signed with the secret, or too long ago, and `Invalid` for what is signed and unreadable.
    """
    _verify(headers, body, secret=secret, now=now)
    try:
        event = msgspec.json.decode(body, type=_Event)
    except msgspec.DecodeError as error:
        raise Invalid(f"The webhook's body cannot be read: {error}") from error
    return event.data.id if event.type.startswith("fine_tuning.job.") else None


def _verify(headers: Mapping[str, str], body: bytes, *, secret: str, now: float) -> None:
    message_id = headers.get("webhook-id", "")
    sent_at = headers.get("webhook-timestamp", "")
    # More digits than a moment has would not even be a number that Python reads.
    if not (sent_at.isascii() and sent_at.isdigit() and len(sent_at) < 16):
        raise Unauthorized("The webhook is not signed.")
    if abs(now - int(sent_at)) > TOLERANCE_SECONDS:
        raise Unauthorized("The webhook was signed too long ago, or ahead of its time.")
    signed = f"{message_id}.{sent_at}.".encode() + body
    right = base64.b64encode(hmac.digest(_key(secret), signed, hashlib.sha256))
    given = headers.get("webhook-signature", "").split()
    versioned = [one.removeprefix("v1,").encode() for one in given if one.startswith("v1,")]
    if not any(hmac.compare_digest(one, right) for one in versioned):
        raise Unauthorized("The webhook's signature is wrong: is it another endpoint's secret?")


def _key(secret: str) -> bytes:
    if not secret.startswith("whsec_"):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise Unauthorized("The secret for webhooks is not whsec_ and base64.") from None
