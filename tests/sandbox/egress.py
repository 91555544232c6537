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
        self.rings = 0
        """How often it was built and not taken down: it stands while there is one."""

        self.refused: list[str] = []
        self._is_built = False

    def build(self) -> None:
        if not self._is_built:
            sys.addaudithook(self._watch)
            self._is_built = True

    def _watch(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.rings or event not in ("socket.connect", "socket.getaddrinfo"):
            return
        if event == "socket.getaddrinfo":
            # To read an address asks nobody; to look up a name does.
            if not _is_address(arguments[0]):
                self._refuse_unless_local(arguments[0])
        elif arguments[0].family in (socket.AF_INET, socket.AF_INET6):
            self._refuse_unless_local(arguments[1][0])

    def _refuse_unless_local(self, host: Any) -> None:
        name = host.decode() if isinstance(host, bytes) else host or ""
        if not _is_local(name):
            self.refused.append(name)
            raise ConnectionRefusedError(f"{name} is not on this machine")


_WALL = _Wall()


def build_wall() -> None:
    """Refuse, for as long as this process lives, every connection that would leave the machine."""
    _WALL.build()
    _WALL.rings += 1


@contextmanager
def no_egress() -> Generator[list[str]]:
    """Refuse them within the block; gives the hosts refused so far."""
    build_wall()
    _WALL.refused.clear()
    try:
        yield _WALL.refused
    finally:
        _WALL.rings -= 1


def _is_address(host: Any) -> bool:
    """Whether it is an address, in whichever of the spellings that a system reads."""
    name = host.decode() if isinstance(host, bytes) else host or ""
    try:
        return ":" in name or bool(socket.inet_aton(name))
    except OSError:
        return False


def _is_local(name: str) -> bool:
    if name in _NAMES:
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
