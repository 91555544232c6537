"""`luthier doctor`: every part of the set-up with its state, and the next step where one is due."""

import asyncio
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rich.markup import escape

from app import bootstrap
from app.cli.console import out
from app.domain.errors import DatabaseUnavailable
from app.providers import catalog, readiness
from app.providers.catalog import ProviderMisconfigured
from app.settings import GIB, Settings, SettingsInvalid, load
from app.storage import compatibility
from app.storage.compatibility import DatabaseNewer, Standing
from app.storage.database import Database

_MARKS = {
    "ok": "[green]ok[/green]     ",
    "note": "[yellow]note[/yellow]   ",
    "missing": "[red]missing[/red]",
}


@dataclass(frozen=True)
class Finding:
    """One part of the set-up; `next_step` says what to do where it is not `ok`."""

    state: Literal["ok", "note", "missing"]
    part: str
    says: str
    next_step: str | None = None


def examine() -> bool:
    """Print all findings; whether the service can start."""
    findings = asyncio.run(_findings())
    for finding in findings:
        out.print(
            f"{_MARKS[finding.state]} {finding.part:<20} {escape(finding.says)}", soft_wrap=True
        )
        if finding.next_step:
            out.print(f"{'':<29}[dim]{escape(finding.next_step)}[/dim]", soft_wrap=True)
    return all(finding.state != "missing" for finding in findings)


async def _findings() -> list[Finding]:
    try:
        settings = load()
    except SettingsInvalid as error:
        return [Finding("missing", "configuration", str(error), "Mend the setting that is named.")]
    return [
        _data_dir(settings),
        await _database(settings),
        _access(settings),
        *_providers(settings),
        *_known_kinds(settings),
    ]


def _data_dir(settings: Settings) -> Finding:
    place = settings.data_dir
    while not place.exists():
        place = place.parent
    if not os.access(place, os.W_OK):
        return Finding(
            "missing",
            "data directory",
            f"{settings.data_dir} cannot be written",
            "Set LUTHIER_DATA_DIR to a folder of yours.",
        )
    free = shutil.disk_usage(place).free / GIB
    says = f"{settings.data_dir} ({free:.0f} GiB free)"
    if free < 5:
        return Finding("note", "data directory", says, "Trainings write checkpoints: free some.")
    return Finding("ok", "data directory", says)


async def _database(settings: Settings) -> Finding:
    try:
        database = Database(bootstrap.database_url(settings))
    except (ValueError, ModuleNotFoundError) as error:
        return Finding("missing", "database", str(error), "pip install 'luthier[postgres]'")
    shown = database.url.render_as_string(hide_password=True)
    if database.is_embedded and not os.path.exists(database.url.database or ""):  # noqa: ASYNC240
        return Finding("ok", "database", f"{shown} (made at the first start)")
    try:
        standing = await compatibility.standing(database)
    except DatabaseNewer as error:
        return Finding("missing", "database", shown, str(error))
    except DatabaseUnavailable:
        return Finding(
            "missing", "database", f"{shown} does not answer", "Start it, or mend the URL."
        )
    finally:
        await database.dispose()
    if standing is Standing.BEHIND:
        return Finding("note", "database", f"{shown} is not up to date", "Run luthier migrate.")
    return Finding("ok", "database", shown)


def _access(settings: Settings) -> Finding:
    if settings.admin_key is None:
        return Finding(
            "note", "access", "no key: loopback only", "Set LUTHIER_ADMIN_KEY to serve others."
        )
    return Finding("ok", "access", "requests need the key in LUTHIER_ADMIN_KEY")


def _providers(settings: Settings) -> list[Finding]:
    sections = bootstrap.provider_sections(settings)
    return [_provider(settings, name, section) for name, section in sections.items()]


def _provider(settings: Settings, name: str, section: Mapping[str, Any]) -> Finding:
    part = f"provider {name}"
    try:
        connected = catalog.connect({name: section}, data_dir=str(settings.data_dir))
    except ProviderMisconfigured as error:
        return Finding("missing", part, str(error), "Mend this section.")
    spec = connected[name].spec
    if connected[name].missing:
        return Finding(
            "note",
            part,
            f"{spec.title}: not configured",
            f"Set {', '.join(connected[name].missing)} to use it.",
        )
    missing = readiness.missing_packages(spec)
    if missing:
        return Finding("note", part, f"{spec.title}: needs {', '.join(missing)}", spec.install)
    return Finding("ok", part, f"{spec.title}: {', '.join(sorted(spec.methods))}")


def _known_kinds(settings: Settings) -> list[Finding]:
    used = {
        str(section.get("kind", name))
        for name, section in bootstrap.provider_sections(settings).items()
    }
    return [
        Finding(
            "note",
            f"provider {kind}",
            f"{spec.title}: not configured",
            f"Set LUTHIER_PROVIDERS__{kind.upper()}__<OPTION> to use it.",
        )
        for kind, spec in sorted(catalog.specs().items())
        if kind not in used
    ]
