"""The gate: every request gets an id, a caller, and bounds on how much, how often and how long."""

import asyncio
import ipaddress
import re
import secrets
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, bound_contextvars

from app.api import problems
from app.api.measuring import timed, traced
from app.api.openai import door, refusals
from app.domain.access import Caller
from app.domain.errors import Forbidden, LuthierError, RequestTimedOut, TooManyRequests
from app.services.access import Access
from app.services.rates import Allowance, Rates

log = structlog.get_logger()

MAX_BODY_BYTES = 16 * 1024 * 1024
"""What a request may carry, but for uploads: those are counted against the operator's limit."""

UPLOADS = re.compile(r"/datasets|/openai/v1/files|/openai/v1/uploads/[^/]+/parts")

OPEN_PATHS = frozenset({"/healthz", "/readyz"})
"""For machines that hold no key."""

REFERENCE = re.compile(r"/openapi\.json|/docs(/[^/]+)?")
"""For people who look how the API is asked, before they have a key; it tells nothing else."""

METRICS = "/metrics"
"""For Prometheus, which holds no key; where none is set it answers this machine only."""

WEBHOOKS = re.compile(r"/providers/[^/]+/webhooks")
"""For vendors, who sign instead."""


class Gate:
    """ASGI middleware in front of everything."""

    def __init__(self, app: ASGIApp, *, access: Access, rates: Rates, seconds: float) -> None:
        self._app = app
        self._access = access
        self._rates = rates
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = f"req_{secrets.token_hex(12)}"
        scope.setdefault("state", {})["request_id"] = request_id
        answer = Answer(timed(scope, send), {"x-request-id": request_id})
        with bound_contextvars(request_id=request_id, project=None, key=None), traced(scope):
            await self._answer(scope, receive, answer)

    async def _answer(self, scope: Scope, receive: Receive, answer: "Answer") -> None:
        request_id = scope["state"]["request_id"]
        answers = refusals if scope["path"].startswith(door.PREFIX) else problems
        try:
            caller = await self._admit(scope)
            if caller is None:
                await self._serve(scope, receive, answer)
                return
            scope["state"]["caller"] = caller
            bind_contextvars(project=caller.project_id, key=caller.key_id)
            self._count(caller, answer)
            with self._access.working_for(caller):
                await self._serve(scope, receive, answer)
        except LuthierError as error:
            await answers.refusal(request_id, error)(scope, receive, answer.send)
        except ClientDisconnect:
            log.info("client_left", path=scope["path"])
        except Exception:
            log.exception("request_broke", path=scope["path"])
            if answer.has_begun:
                raise
            await answers.accident(request_id)(scope, receive, answer.send)

    async def _admit(self, scope: Scope) -> Caller | None:
        """Who calls; None where anybody may."""
        is_webhook = scope["method"] == "POST" and WEBHOOKS.fullmatch(scope["path"])
        if scope["path"] in OPEN_PATHS or is_webhook:
            return None
        headers = Headers(scope=scope)
        if self._access.is_local:
            _require_this_machine(headers)
        if REFERENCE.fullmatch(scope["path"]) or scope["path"] == METRICS:
            return None
        return await self._access.admit(_bearer(headers), headers.get("luthier-project"))

    def _count(self, caller: Caller, answer: "Answer") -> None:
        allowance = self._rates.take(caller)
        if allowance is None:
            return
        answer.headers |= allowance.headers
        if not allowance.is_granted:
            raise TooManyRequests(_told(allowance))

    async def _serve(self, scope: Scope, receive: Receive, answer: "Answer") -> None:
        is_upload = UPLOADS.fullmatch(scope["path"]) is not None
        is_bounded = scope["method"] != "GET" and not is_upload
        body = _bounded(receive) if is_bounded else receive
        patience = asyncio.timeout(None if is_upload else self._seconds)
        answer.on_begin = lambda: patience.reschedule(None)
        try:
            async with patience:
                await self._app(scope, body, answer.send)
        except TimeoutError as error:
            if answer.has_begun or not patience.expired():
                raise
            raise RequestTimedOut(f"This took longer than {self._seconds:g} seconds.") from error
        finally:
            answer.on_begin = None


class Answer:
    """What leaves, with the headers that every answer has."""

    def __init__(self, send: Send, headers: dict[str, str]) -> None:
        self._send = send
        self.headers = headers
        self.has_begun = False
        self.on_begin: Callable[[], None] | None = None

    async def send(self, message: Message) -> None:
        """Send a piece of the answer."""
        if message["type"] == "http.response.start":
            self.has_begun = True
            if self.on_begin is not None:
                self.on_begin()
            told = [(name.lower().encode(), value.encode()) for name, value in self.headers.items()]
            message["headers"] += told
        await self._send(message)


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


def _bearer(headers: Headers) -> str | None:
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else None


def _told(allowance: Allowance) -> str:
    return (
        f"The key may send {allowance.limit} requests a minute; "
        f"try again in {allowance.reset_seconds} seconds."
    )


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
