"""Attendance: around every operation, whether the caller may do it, and a line in the audit.

It stands at the routes themselves, because only there it is known which operation a request is;
and it wraps all of them, so that none can be forgotten.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

import msgspec
import structlog
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api import roles
from app.domain.access import Caller
from app.domain.errors import LuthierError, RoleInsufficient
from app.services.audit import Audit, Deed

log = structlog.get_logger()

MOST_READ_BYTES = 256 * 1024
"""Of an answer's first piece, to find the id of what was made in it."""


def attend(routes: Iterable[BaseRoute]) -> None:
    """Put an attendant at every route that has none."""
    for route in routes:
        if isinstance(route, APIRoute) and not isinstance(route.app, Attendant):
            operation, method = str(route.operation_id), next(iter(route.methods or ()))
            route.app = Attendant(route.app, operation=operation, method=method)


class Attendant:
    """ASGI middleware around one operation; the gate has said who calls."""

    def __init__(self, app: ASGIApp, *, operation: str, method: str) -> None:
        self._app = app
        self._operation = operation
        self._method = method

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller: Caller | None = scope["state"].get("caller")
        if caller is None:
            # The gate lets nobody through without one but to what is open.
            await self._app(scope, receive, send)
            return
        witness = Witness(scope, send, caller, self._operation)
        is_change = roles.is_change(self._operation, self._method)
        if not roles.admits(caller, self._operation, self._method):
            refusal = _refusal(self._operation, self._method, caller)
            if is_change:
                await witness.record(403, refusal.code)
            raise refusal
        if is_change:
            await witness.watch(self._app, receive)
        else:
            await self._app(scope, receive, send)


class Witness:
    """Writes down what a request did, before the answer leaves that tells of it."""

    def __init__(self, scope: Scope, send: Send, caller: Caller, operation: str) -> None:
        self._scope = scope
        self._send = send
        self._caller = caller
        self._operation = operation
        self._start: Message | None = None
        self._is_recorded = False
        self._unwritten: LuthierError | None = None

    async def watch(self, app: ASGIApp, receive: Receive) -> None:
        """Let the operation run; one that breaks, or is broken off, is written down as well."""
        try:
            await app(self._scope, receive, self._told)
        except (Exception, asyncio.CancelledError):
            if not self._is_recorded:
                await self._record_broken()
            raise
        if self._unwritten is not None:
            raise self._unwritten

    async def record(self, status: int, code: str | None = None, made: str | None = None) -> None:
        """Write the line of this request."""
        self._is_recorded = True
        audit: Audit = self._scope["app"].state.services.audit
        client = self._scope.get("client")
        deed = Deed(
            operation=self._operation,
            object=_named(self._scope) or made,
            status=status,
            code=code,
            request_id=self._scope["state"]["request_id"],
            address=client[0] if client else None,
        )
        await audit.record(self._caller, deed)

    async def _told(self, message: Message) -> None:
        """Keep the answer's beginning until its first piece has said what was made."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        if self._start is not None:
            start, self._start = self._start, None
            said = _read(message.get("body", b""))
            code = said.refusal if start["status"] >= 400 else None
            try:
                await self.record(start["status"], code, said.id)
            except LuthierError as error:
                # The framework holds its answer for begun: here it would make an accident of it.
                self._unwritten = error
            else:
                await self._send(start)
        if self._unwritten is None:
            await self._send(message)

    async def _record_broken(self) -> None:
        try:
            await self.record(500, "internal_error")
        except Exception:
            log.exception("audit_lost")


class _Refusal(msgspec.Struct):
    code: str | None = None


class _Answer(msgspec.Struct):
    """What is read of an answer: the id of what was made, or why nothing was."""

    id: str | None = None
    code: str | None = None
    error: _Refusal | None = None

    @property
    def refusal(self) -> str | None:
        return self.code or (self.error.code if self.error else None)


def _read(body: bytes) -> _Answer:
    if len(body) > MOST_READ_BYTES:
        return _Answer()
    try:
        return msgspec.json.decode(body, type=_Answer)
    except msgspec.MsgspecError:
        return _Answer()


def _named(scope: Scope) -> str | None:
    """What the path names."""
    named: dict[str, Any] = scope.get("path_params", {})
    return "/".join(str(value) for value in named.values()) or None


def _refusal(operation: str, method: str, caller: Caller) -> RoleInsufficient:
    needed = roles.role_of(operation, method)
    if not caller.role.covers(needed):
        return RoleInsufficient(f"This needs the role {needed}; the caller is {caller.role}.")
    return RoleInsufficient("This reaches beyond a project: it needs a key of the default one.")
