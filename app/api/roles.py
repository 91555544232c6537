"""Roles: the least that a caller must be for each operation, as data and in the description."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.domain.access import DEFAULT_PROJECT, Caller, Role

ANYBODY = frozenset({"get_health", "get_readiness", "take_webhook"})
"""Machines that hold no key ask for health, and vendors sign what they send."""

_EXCEPTIONS: Mapping[str, Role] = {
    "export_model": Role.DEVELOPER,
    "put_alias": Role.OPERATOR,
    "delete_alias": Role.OPERATOR,
    "roll_back_alias": Role.OPERATOR,
    "import_from_provider": Role.OPERATOR,
    "refresh_base_models": Role.OPERATOR,
    "list_orphans": Role.OPERATOR,
    "create_webhook": Role.OPERATOR,
    "change_webhook": Role.OPERATOR,
    "delete_webhook": Role.OPERATOR,
    "test_webhook": Role.OPERATOR,
    "rotate_webhook_secret": Role.OPERATOR,
    "resend_webhook_delivery": Role.OPERATOR,
    "list_webhooks": Role.OPERATOR,
    "get_webhook": Role.OPERATOR,
    "list_webhook_deliveries": Role.OPERATOR,
    "create_key": Role.ADMIN,
    "list_keys": Role.ADMIN,
    "get_key": Role.ADMIN,
    "change_key": Role.ADMIN,
    "rotate_key": Role.ADMIN,
    "revoke_key": Role.ADMIN,
    "create_project": Role.ADMIN,
    "change_project": Role.ADMIN,
    "list_audit": Role.ADMIN,
}

_SHARED = frozenset(
    {
        "import_from_provider",
        "list_orphans",
        "refresh_base_models",
        "create_project",
        "change_project",
    }
)
"""What reaches beyond one project: the vendors' accounts, and the projects themselves."""

_TELLING = frozenset({"compile_dataset", "create_quote", "create_chat_completion"})
"""What is asked by POST and changes nothing here."""


def named() -> set[str]:
    """The operations that are named here; each has to be one that is there."""
    return {*_EXCEPTIONS, *_SHARED, *_TELLING, *ANYBODY}


def role_of(operation: str, method: str) -> Role:
    """Whoever reads is a viewer, and whoever changes or spends a developer; the rest is named."""
    usual = Role.VIEWER if method.upper() in ("GET", "HEAD") else Role.DEVELOPER
    return _EXCEPTIONS.get(operation, usual)


def is_shared(operation: str) -> bool:
    """Whether only keys of the default project may do it, for it reaches beyond one project."""
    return operation in _SHARED


def is_change(operation: str, method: str) -> bool:
    """Whether the audit has a line for it."""
    return method.upper() not in ("GET", "HEAD") and operation not in _TELLING


def admits(caller: Caller, operation: str, method: str) -> bool:
    """Whether the caller may do it."""
    is_at_home = caller.home == DEFAULT_PROJECT or not is_shared(operation)
    return is_at_home and caller.role.covers(role_of(operation, method))


def describe(schema: dict[str, Any]) -> None:
    """Tell the least role of each operation as `x-luthier-role`."""
    for method, operation in _operations(schema):
        name = operation["operationId"]
        is_open = name in ANYBODY
        operation["x-luthier-role"] = "anybody" if is_open else str(role_of(name, method))


def _operations(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in schema["paths"].values():
        yield from path.items()
