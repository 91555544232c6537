"""Whether a connection can set to work: options that are set, packages that are installed."""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec

from app.domain.errors import YourTurn
from app.domain.provider import ProviderSpec


def require_configured(spec: ProviderSpec, missing: Sequence[str]) -> None:
    """Raise `YourTurn` with the options that must still be set."""
    if missing:
        names = ", ".join(missing)
        raise YourTurn(f"{spec.title} is not configured: set {names}; then retry the job.")


def require_packages(spec: ProviderSpec) -> None:
    """Raise `YourTurn` with what to install where a package is not there."""
    absent = missing_packages(spec)
    if absent:
        names = ", ".join(absent)
        raise YourTurn(f"{spec.title} needs {names}: {spec.install}; then retry the job.")


def missing_packages(spec: ProviderSpec) -> list[str]:
    """The packages that are not installed; nothing of them is loaded."""
    return [package for package in spec.packages if not _is_installed(package)]


def unset(connection: str, options: Mapping[str, object]) -> list[str]:
    """The variables of those options of a connection that have no value."""
    return [variable(connection, name) for name, value in options.items() if not value]


def variable(connection: str, option: str) -> str:
    """The environment variable that sets an option of a connection."""
    return f"LUTHIER_PROVIDERS__{connection.upper()}__{option.upper()}"


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # not even the package that it is part of
        return False
