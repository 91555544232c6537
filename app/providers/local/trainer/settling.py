"""The effective hyperparameters, settled by a run's first launch for all of its launches."""

from typing import Any

import msgspec

from app.providers.local.base_models import UnknownBaseModel, find_base_model
from app.providers.local.durable import write_durably
from app.providers.local.hyperparameters import Effective, Hardware, faults, resolve
from app.providers.local.records import RunSpec
from app.providers.local.runs import TRAIN_FILE, RunFolder
from app.providers.local.trainer.examples import count_lines
from app.providers.local.trainer.failures import (
    BaseModelUnavailable,
    InvalidHyperparameters,
    MethodUnavailable,
)
from app.providers.local.trainer.findings import Findings
from app.providers.local.trainer.hardware import find_hardware, library_versions
from app.providers.local.trainer.journal import Journal
from app.providers.local.trainer.loading import load_config, read_adapter_config

FILE = "effective.json"


def settle(run: RunFolder, spec: RunSpec, *, journal: Journal, findings: Findings) -> Effective:
    """What the run trains with; a later launch takes what the first one settled.

    Else a change of the machine between two launches would change the training half-way.
    """
    findings.versions = library_versions()
    hardware = find_hardware(threads=spec.threads, memory_limit_bytes=spec.memory_limit_bytes)
    try:
        effective = msgspec.json.decode((run.path / FILE).read_bytes(), type=Effective)
    except FileNotFoundError:
        effective = _resolve(run, spec, hardware, journal)
        write_durably(run.path / FILE, msgspec.json.encode(effective))
    _check_machine(effective, hardware)
    findings.effective = msgspec.to_builtins(effective) | {"seed": spec.seed}
    return effective


def _resolve(run: RunFolder, spec: RunSpec, hardware: Hardware, journal: Journal) -> Effective:
    asked = _checked(spec)
    load_config(spec.model)  # brings a hub model's config into the cache, which tells its size
    try:
        base = find_base_model(spec.model)
    except UnknownBaseModel as error:
        raise BaseModelUnavailable(str(error)) from error
    effective = resolve(
        asked,
        method=spec.method,
        parameters=base.parameters,
        context_length=base.context_length,
        hardware=hardware,
        examples=count_lines(run.path / TRAIN_FILE),
        continues_adapter=spec.adapter_from is not None,
    )
    if spec.adapter_from is None:
        return effective
    return _continuing(effective, asked, spec.adapter_from, journal)


def _checked(spec: RunSpec) -> dict[str, Any]:
    found = faults(spec.hyperparameters)
    if found:
        raise InvalidHyperparameters(" ".join(fault.message for fault in found))
    if spec.adapter_from is not None and spec.hyperparameters.get("adapter") == "full":
        raise InvalidHyperparameters("A run that continues from an adapter cannot train in full.")
    return spec.hyperparameters


def _check_machine(effective: Effective, hardware: Hardware) -> None:
    if effective.device != hardware.device:
        raise MethodUnavailable(f"The run began on {effective.device}, which is gone.")
    if effective.adapter != "qlora":
        return
    if hardware.device != "cuda":
        raise MethodUnavailable("qlora needs a CUDA GPU, and this machine has none.")
    if not hardware.bitsandbytes:
        raise MethodUnavailable("qlora needs bitsandbytes: pip install 'luthier[qlora]'")


def _continuing(
    effective: Effective, asked: dict[str, Any], folder: str, journal: Journal
) -> Effective:
    """With the rank and the rest of the adapter that the run continues from."""
    config = read_adapter_config(folder)
    shape = {
        "lora_rank": config["r"],
        "lora_alpha": config["lora_alpha"],
        "lora_dropout": config["lora_dropout"],
    }
    for name, value in shape.items():
        if asked.get(name, "auto") not in ("auto", value):
            journal.notice("warning", f"{name} is {value}, as in the adapter continued from.")
    return msgspec.structs.replace(effective, **shape)
