"""Packages that a provider needs at work: which are not installed, said with the install line."""

from collections.abc import Sequence
from importlib.util import find_spec

from app.domain.errors import YourTurn


def missing(packages: Sequence[str]) -> list[str]:
    """Those that are not installed; nothing of them is loaded."""
    return [package for package in packages if not _is_installed(package)]


def require(packages: Sequence[str], *, title: str, install: str | None) -> None:
    """Raise `YourTurn` with what to install where one is not there."""
    absent = missing(packages)
    if absent:
        raise YourTurn(f"{title} needs {', '.join(absent)}: {install}; then retry the job.")


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # not even the package that it is part of
        return False
