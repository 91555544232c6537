"""Every provider that is known, without loading the SDK of any."""

import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import Any

from pydantic import ValidationError

from app import providers
from app.domain.provider import Connection, Provider, ProviderSpec

ENTRY_POINTS = "luthier.providers"
"""Where packages from outside announce their `SPEC`."""


class ProviderMisconfigured(Exception):
    """A provider's section cannot be used; the message says what to do."""


def specs() -> dict[str, ProviderSpec]:
    """All providers by kind: our folders, and what other packages announce."""
    return {spec.kind: spec for spec in (*_own(), *_announced())}


def connect(sections: Mapping[str, Mapping[str, Any]], *, data_dir: str) -> dict[str, Provider]:
    """The configured connections by name; raises `ProviderMisconfigured`."""
    known = specs()
    return {
        name: _connect(name, section, known, data_dir=data_dir)
        for name, section in sections.items()
    }


def missing_packages(spec: ProviderSpec) -> list[str]:
    """Modules that the provider needs and that are not installed."""
    return [package for package in spec.packages if find_spec(package) is None]


def _connect(
    name: str, section: Mapping[str, Any], known: Mapping[str, ProviderSpec], *, data_dir: str
) -> Provider:
    options = dict(section)
    kind = str(options.pop("kind", name))
    spec = known.get(kind)
    if spec is None:
        raise ProviderMisconfigured(
            f"providers.{name}: there is no provider of kind {kind!r}; "
            f"set providers.{name}.kind to one of {', '.join(sorted(known))}."
        )
    try:
        checked = spec.options.model_validate(options)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
            for fault in error.errors(include_input=False)
        )
        raise ProviderMisconfigured(f"providers.{name}: {wrong}") from error
    return spec.connect(Connection(name, checked, data_dir))


def _own() -> Iterator[ProviderSpec]:
    for module in pkgutil.iter_modules(providers.__path__):
        if module.ispkg:
            yield import_module(f"{providers.__name__}.{module.name}").SPEC


def _announced() -> Iterator[ProviderSpec]:
    for entry in entry_points(group=ENTRY_POINTS):
        yield entry.load()
