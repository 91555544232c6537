"""Every provider that is known, without loading the SDK of any."""

import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from app import providers
from app.domain.catalogue import CatalogueInvalid
from app.domain.provider import Connection, Provider, ProviderSpec

ENTRY_POINTS = "luthier.providers"
"""Where packages from outside announce their `SPEC`."""


class ProviderMisconfigured(Exception):
    """A provider's section cannot be used; the message says what to do."""


def specs() -> dict[str, ProviderSpec]:
    """All providers by kind: our folders, and what other packages announce."""
    return {spec.kind: spec for spec in (*_own(), *_announced())}


def connect(
    sections: Mapping[str, Mapping[str, Any]],
    *,
    data_dir: str,
    corrections: Mapping[str, Any] | None = None,
) -> dict[str, Provider]:
    """The connections by name; raises `ProviderMisconfigured`.

    `corrections` holds what the operator knows better of a connection's base models.
    """
    known = specs()
    return {
        name: _connect(name, section, known, data_dir, (corrections or {}).get(name, {}))
        for name, section in sections.items()
    }


def with_unconfigured(sections: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The sections, and every kind of ours that none of them names, under its own name.

    Without credentials it can compile and quote, and says what is missing for the rest.
    """
    used = {str(section.get("kind", name)) for name, section in sections.items()} | {*sections}
    unused = {spec.kind: {} for spec in _own() if spec.kind not in used}
    return {**unused, **sections}


def _connect(
    name: str,
    section: Mapping[str, Any],
    known: Mapping[str, ProviderSpec],
    data_dir: str,
    correction: Mapping[str, Any],
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
        checked = spec.options.model_validate(_with_files(options, spec.options))
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
            for fault in error.errors(include_input=False)
        )
        raise ProviderMisconfigured(f"providers.{name}: {wrong}") from error
    except (OSError, ValueError) as error:
        raise ProviderMisconfigured(f"providers.{name}: {error}") from error
    try:
        return spec.connect(Connection(name, checked, data_dir, correction))
    except CatalogueInvalid as error:
        raise ProviderMisconfigured(f"catalogue, {name}: {error}") from error


def _with_files(options: dict[str, Any], known: type[BaseModel]) -> dict[str, Any]:
    """The options, with what lies in the file that `<option>_file` names as `<option>`.

    An option of the provider's own that ends like that is left as it is.
    """
    told = dict(options)
    for name in options:
        option = name.removesuffix("_file")
        if name not in known.model_fields and option in known.model_fields:
            if option in options:
                raise ValueError(f"{option} and {name} are both given: give one.")
            told[option] = Path(str(told.pop(name))).expanduser().read_text().strip()
    return told


def _own() -> Iterator[ProviderSpec]:
    for module in pkgutil.iter_modules(providers.__path__):
        if module.ispkg:
            folder = import_module(f"{providers.__name__}.{module.name}")
            # A folder without one is what several providers share.
            if hasattr(folder, "SPEC"):
                yield folder.SPEC


def _announced() -> Iterator[ProviderSpec]:
    for entry in entry_points(group=ENTRY_POINTS):
        yield entry.load()
