"""The gate: every request gets an id, and passes only with the key, or from this very machine."""

import hmac
import ipaddress
import re
import secrets
from functools import lru_cache
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api import problems
from app.api.openai import door, refusals
from app.domain.errors import Forbidden, LuthierError, Unauthorized

log = structlog.get_logger()

MAX_BODY_BYTES = 16 * 1024 * 1024
"""What a request may carry, but for uploads: those are counted against the operator's limit."""

UPLOADS = re.compile(r"/datasets|/openai/v1/files|/openai/v1/uploads/[^/]+/parts")

OPEN_PATHS = frozenset({"/healthz", "/readyz"})
"""For machines that hold no key."""

REFERENCE = re.compile(r"/openapi\.json|/docs(/[^/]+)?")
"""For people who look how the API is asked, before they have a key; it tells nothing else."""

WEBHOOKS = re.compile(r"/providers/[^/]+/webhooks")
"""For vendors, who sign instead."""


class Gate:
    """ASGI middleware in front of everything."""

    def __init__(self, app: ASGIApp, *, admin_key: str | None) -> None:
        self._app = app
        self._admin_key = admin_key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = f"req_{secrets.token_hex(12)}"
        scope.setdefault("state", {})["request_id"] = request_id
        answers = refusals if scope["path"].startswith(door.PREFIX) else problems
        has_begun = False

        async def send_with_id(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                message["headers"].append((b"x-request-id", request_id.encode()))
            await send(message)

        try:
            self._admit(scope)
            is_bounded = scope["method"] != "GET" and not UPLOADS.fullmatch(scope["path"])
            body = _bounded(receive) if is_bounded else receive
            await self._app(scope, body, send_with_id)
        except LuthierError as error:
            await answers.refusal(request_id, error)(scope, receive, send_with_id)
        except ClientDisconnect:
            log.info("client_left", request_id=request_id, path=scope["path"])
        except Exception:
            log.exception("request_broke", request_id=request_id, path=scope["path"])
            if has_begun:
                raise
            await answers.accident(request_id)(scope, receive, send_with_id)

    def _admit(self, scope: Scope) -> None:
        is_webhook = scope["method"] == "POST" and WEBHOOKS.fullmatch(scope["path"])
        if scope["path"] in OPEN_PATHS or is_webhook:
            return
        headers = Headers(scope=scope)
        if self._admin_key is None:
            _require_this_machine(headers)
        elif not REFERENCE.fullmatch(scope["path"]):
            _require_key(headers, self._admin_key)


@lru_cache(maxsize=256)
def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine only."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _bounded(receive: Receive) -> Receive:
    received = 0

    async def bounded() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > MAX_BODY_BYTES:
            # FastAPI reads the body and lets no other kind of error through as it is.
            raise HTTPException(413, f"A request may carry {MAX_BODY_BYTES} bytes.")
        return message

    return bounded


def _require_key(headers: Headers, key: str) -> None:
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), key.encode()):
        raise Unauthorized("Send the key as `Authorization: Bearer <key>`.")


def _require_this_machine(headers: Headers) -> None:
    """Without a key no page in a local browser may reach us under another name or from its site."""
    if not is_loopback(_host_of(f"//{headers.get('host', '')}")):
        raise Forbidden("Without LUTHIER_ADMIN_KEY the service answers loopback addresses only.")
    origin = headers.get("origin")
    if origin is not None and not is_loopback(_host_of(origin)):
        raise Forbidden("Without LUTHIER_ADMIN_KEY pages of other sites may not call the service.")


@lru_cache(maxsize=256)
def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
