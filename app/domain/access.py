"""Who may do what: projects, roles, and whoever calls."""

from decimal import Decimal
from enum import StrEnum

import msgspec

DEFAULT_PROJECT = "default"
"""The project of everything that was made before there were projects, and of the first key."""


class Role(StrEnum):
    """What a key may do in its project; each role may what those before it may."""

    VIEWER = "viewer"
    DEVELOPER = "developer"
    OPERATOR = "operator"
    ADMIN = "admin"

    def covers(self, needed: "Role") -> bool:
        """Whether whoever has this role may do what the other one is needed for."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """What keys and all other objects belong to; the id is the name that was chosen for it."""

    id: str
    spend_limit_usd: Decimal | None = None
    created_at: int


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A key as the database keeps it: never its secret. Times are milliseconds since 1970."""

    id: str
    project_id: str
    name: str
    role: Role
    prefix: str
    """What the key begins with, after `lth_`: it names the key and is no secret."""

    hash: str
    old_hash: str | None = None
    """Of the secret before the last rotation, good until `old_until`."""

    old_until: int | None = None
    spend_limit_usd: Decimal | None = None
    rate_limit_per_minute: int | None = None
    created_at: int
    created_by: str
    expires_at: int | None = None
    revoked_at: int | None = None
    last_used_at: int | None = None
    """To the minute."""


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who sent a request, and for which project they work."""

    name: str
    role: Role
    home: str
    """The project that the key belongs to, or the token speaks of."""

    project_id: str
    """The project that the request is about."""

    key_id: str | None = None
    rate_limit_per_minute: int | None = None

    @property
    def governs(self) -> bool:
        """Whether they look after the service itself: projects, and what all projects share."""
        return self.home == DEFAULT_PROJECT and self.role is Role.ADMIN


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """That somebody changed something, or tried to."""

    id: str
    project_id: str
    at: int
    caller: str
    """The name of a key, or the subject of a token."""

    key_id: str | None = None
    role: Role
    operation: str
    object: str | None = None
    """What it was done to; of a creation, what came of it."""

    status: int
    """The HTTP status of the answer."""

    code: str | None = None
    """Of a refusal, its code."""

    request_id: str
    address: str | None = None


class AuditFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which lines of the audit are wanted; what is None does not matter."""

    object: str | None = None
    operation: str | None = None
    key_id: str | None = None
    start: int | None = None
    end: int | None = None
