"""A wall around this machine: while it stands, nothing outside can be reached."""

import socket
import sys
from collections.abc import Generator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any

_NAMES = frozenset({"localhost", ""})


class _Wall:
    """One hook for the whole process, because Python takes none back."""

    def __init__(self) -> None:
        self.stands = False
        self.refused: list[str] = []
        self._is_built = False

    def build(self) -> None:
        if not self._is_built:
            sys.addaudithook(self._watch)
            self._is_built = True

    def _watch(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.stands or event not in ("socket.connect", "socket.getaddrinfo"):
            return
        if event == "socket.getaddrinfo":
            self._refuse_unless_local(arguments[0])
        elif arguments[0].family in (socket.AF_INET, socket.AF_INET6):
            self._refuse_unless_local(arguments[1][0])

    def _refuse_unless_local(self, host: Any) -> None:
        name = host.decode() if isinstance(host, bytes) else host or ""
        if not _is_local(name):
            self.refused.append(name)
            raise ConnectionRefusedError(f"{name} is not on this machine")


_WALL = _Wall()


@contextmanager
def no_egress() -> Generator[list[str]]:
    """Refuse every connection that would leave this machine; gives the hosts refused so far."""
    _WALL.build()
    _WALL.refused.clear()
    _WALL.stands = True
    try:
        yield _WALL.refused
    finally:
        _WALL.stands = False


def _is_local(name: str) -> bool:
    if name in _NAMES:
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
