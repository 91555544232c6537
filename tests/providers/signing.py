"""Signatures as Standard Webhooks describe them, written apart from the code under test."""

import base64
import hashlib
import hmac


def signed(body: bytes, secret: str, *, at: int, message_id: str = "wh_1") -> dict[str, str]:
    """The headers of a message that was signed at a second."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    told = f"{message_id}.{at}.".encode() + body
    signature = base64.b64encode(hmac.new(key, told, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{signature}",
    }
