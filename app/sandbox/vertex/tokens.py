"""Google's token endpoint: a service account's signed word for an access token."""

import secrets
from urllib.parse import parse_qs

from app.sandbox.frame.exchange import Asked, Refused, Reply

PATH = "/token"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class Tokens:
    """Gives a token to every service account; the signature is not looked at."""

    def __init__(self) -> None:
        self.granted: list[str] = []

    def grant(self, asked: Asked) -> Reply:
        """POST /token"""
        form = parse_qs(asked.content.decode())
        if form.get("grant_type") != [_GRANT] or "assertion" not in form:
            raise Refused(400, "invalid_grant")
        token = f"ya29.{secrets.token_urlsafe(24)}"
        self.granted.append(token)
        return Reply.of({"access_token": token, "expires_in": 3600, "token_type": "Bearer"})
