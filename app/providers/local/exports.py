"""Tuned weights to take along: the adapter as it was saved, or merged into its base model."""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import structlog

from app.domain.errors import ExportImpossible, ModelUnavailable
from app.domain.provider import ExportedFile, Weights
from app.providers import readiness
from app.providers.local import INSTALL, SPEC, LocalOptions
from app.providers.local.base_models import UnknownBaseModel, find_base_model
from app.providers.local.children import environment
from app.providers.local.records import RunArtifact
from app.providers.local.runs import RunFolder

log = structlog.get_logger()

MERGED_FOLDER = "merged"

MERGED_KEPT = 3
"""Models whose merged weights stay on the disk; those that were asked for longest ago go."""

WAIT_SECONDS = 45.0
"""How long an export waits for weights that are being merged, which goes on after that."""

_PIECE_BYTES = 1 << 20
_CONFIG = "adapter_config.json"
# Left out is what libraries write beside the weights: their own cards and arguments.
_TAKEN = ("*.safetensors", "*.safetensors.index.json", "*config.json", "*.jinja", "*token*.json")
_VOCABULARIES = ("*.model", "vocab.*", "merges.txt")


class Exports:
    """The weights under one root of run folders."""

    def __init__(self, options: LocalOptions, root: Path) -> None:
        self._options = options
        self._root = root
        self._merging: dict[Path, asyncio.Task[None]] = {}

    async def files(self, artifact: str, weights: Weights) -> Sequence[ExportedFile]:
        """See `domain.provider.Exporting`."""
        folder = self._root / artifact
        saved = await asyncio.to_thread(_saved, folder)
        if weights is Weights.ADAPTER:
            config = await asyncio.to_thread(_adapter_config, folder, saved)
            return await asyncio.to_thread(_files, folder, {_CONFIG: config})
        if saved.kind == "adapter":
            folder = await self._merged(folder, saved)
        return await asyncio.to_thread(_files, folder, {})

    async def close(self) -> None:
        """Wait no longer for weights that are being merged."""
        for merging in self._merging.values():
            merging.cancel()
        await asyncio.gather(*self._merging.values(), return_exceptions=True)

    async def _merged(self, folder: Path, saved: RunArtifact) -> Path:
        """The whole model beside its adapter; merged once, whoever asks meanwhile."""
        merged = folder.with_name(MERGED_FOLDER)
        if not merged.is_dir():
            merging = self._merging.get(merged)
            if merging is None:
                _require_packages()
                merging = asyncio.create_task(self._merge(folder, saved.base))
                self._merging[merged] = merging
                merging.add_done_callback(partial(self._forget, merged))
            await _within(merging, WAIT_SECONDS)
        # What was asked for last is dropped last.
        await asyncio.to_thread(merged.touch)
        return merged

    def _forget(self, merged: Path, merging: asyncio.Task[None]) -> None:
        self._merging.pop(merged, None)
        # Whoever waits still is told; where nobody does, the log has it.
        if not merging.cancelled():
            merging.exception()

    async def _merge(self, folder: Path, base: str) -> None:
        await asyncio.to_thread(make_room, self._root)
        limit, threads = self._options.memory_limit_mb, self._options.threads
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "app.providers.local.merging"),
            *(str(folder), base, str(limit or 0), str(threads or 0)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env=environment(),
        )
        try:
            _, said = await child.communicate()
        except asyncio.CancelledError:
            child.kill()
            await child.wait()
            raise
        if child.returncode != 0:
            log.warning("merge_failed", folder=str(folder), said=said.decode(errors="replace"))
            raise ModelUnavailable("The weights could not be merged; the service's log says why.")


def make_room(root: Path) -> None:
    """Drop merged weights until there is room for one more."""
    kept = sorted(root.glob(f"*/{MERGED_FOLDER}"), key=lambda path: path.stat().st_mtime)
    for folder in kept[: max(0, len(kept) - MERGED_KEPT + 1)]:
        shutil.rmtree(folder, ignore_errors=True)


def _require_packages() -> None:
    missing = readiness.missing_packages(SPEC)
    if missing:
        raise ModelUnavailable(f"Merging needs {', '.join(missing)} here: {INSTALL}.")


async def _within(merging: asyncio.Task[None], seconds: float) -> None:
    done, _ = await asyncio.wait({merging}, timeout=seconds)
    if not done:
        raise ModelUnavailable("The weights are being merged; ask again in a moment.")
    merging.result()


def _saved(folder: Path) -> RunArtifact:
    """How the run saved its model."""
    result = RunFolder(folder.parent).result()
    if result is None or result.artifact is None or not folder.is_dir():
        raise ExportImpossible("The weights of this model are gone from this machine.")
    return result.artifact


def _adapter_config(folder: Path, saved: RunArtifact) -> bytes:
    """The adapter's configuration, naming its base as a stranger would, and not by a path here."""
    if saved.kind != "adapter":
        raise ExportImpossible("All weights of this model were trained: ask for weights=merged.")
    name = RunFolder(folder.parent).spec().base_model
    if not _is_base(name, saved.base):
        raise ExportImpossible(
            "The adapter stands on a model that was tuned before: ask for weights=merged."
        )
    config: dict[str, Any] = msgspec.json.decode((folder / _CONFIG).read_bytes())
    config["base_model_name_or_path"] = name
    return msgspec.json.format(msgspec.json.encode(config), indent=2)


def _is_base(name: str, location: str) -> bool:
    try:
        return find_base_model(name).model == location
    except UnknownBaseModel:
        return False


def _files(folder: Path, instead: Mapping[str, bytes]) -> list[ExportedFile]:
    """The folder's files by name; some with another content than on the disk."""
    taken = {path for pattern in (*_TAKEN, *_VOCABULARIES) for path in folder.glob(pattern)}
    return [_file(path, instead.get(path.name)) for path in sorted(taken)]


def _file(path: Path, instead: bytes | None) -> ExportedFile:
    if instead is not None:
        return ExportedFile(name=path.name, size=len(instead), chunks=partial(_just, instead))
    return ExportedFile(name=path.name, size=path.stat().st_size, chunks=partial(_read, path))


async def _just(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def _read(path: Path) -> AsyncIterator[bytes]:
    file = await asyncio.to_thread(path.open, "rb")
    with file:
        while piece := await asyncio.to_thread(file.read, _PIECE_BYTES):
            yield piece
