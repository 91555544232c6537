"""The phases of a training in their order: loading, preparing, training, saving, probing."""

import gc
from pathlib import Path
from typing import Any

import torch

from app.providers.local.hyperparameters import Effective
from app.providers.local.records import RunArtifact
from app.providers.local.runs import TRAIN_FILE, VALIDATION_FILE, RunFolder
from app.providers.local.trainer import checkpoints, loading
from app.providers.local.trainer.callbacks import JournalCallback
from app.providers.local.trainer.examples import first_prompt, prepare
from app.providers.local.trainer.findings import Findings
from app.providers.local.trainer.journal import Journal
from app.providers.local.trainer.probe import probe
from app.providers.local.trainer.saving import FOLDER, save_model, weights_sha256
from app.providers.local.trainer.settling import settle
from app.providers.local.trainer.stopping import StopSwitch
from app.providers.local.trainer.training import Material, build_trainer


class Pipeline:
    """Carries one run from its spec to a probed artefact; `findings` fills up on the way."""

    def __init__(
        self, run: RunFolder, *, journal: Journal, stop: StopSwitch, findings: Findings
    ) -> None:
        self._run = run
        self._spec = run.spec()
        self._journal = journal
        self._stop = stop
        self._findings = findings

    def fine_tune(self) -> None:
        """All phases; raises Stopped when asked to stop, and whatever goes wrong."""
        self._journal.phase("loading")
        effective = settle(self._run, self._spec, journal=self._journal, findings=self._findings)
        torch.set_num_threads(effective.threads)
        tokenizer = loading.load_tokenizer(self._spec.model)
        models = loading.load_models(self._spec, effective)
        self._findings.base = loading.read_base(self._spec.model)
        self._stop.check()
        self._journal.phase("preparing")
        material = self._prepare(tokenizer, effective)
        model = self._train(models, material, effective)
        self._stop.check()
        self._journal.phase("saving")
        artifact = self._save(model, tokenizer, effective)
        # The probe loads the model afresh: the trained one must be gone by then.
        del model, models
        gc.collect()
        self._stop.check()
        self._journal.phase("probing")
        self._probe(artifact, material, effective)

    def _prepare(self, tokenizer: Any, effective: Effective) -> Material:
        train = self._read(TRAIN_FILE, tokenizer, effective)
        validation = None
        if (self._run.path / VALIDATION_FILE).exists():
            validation = self._read(VALIDATION_FILE, tokenizer, effective)
        return Material(tokenizer, train, validation)

    def _read(self, name: str, tokenizer: Any, effective: Effective) -> Any:
        prepared = prepare(
            self._run.path / name,
            method=self._spec.method,
            tokenizer=tokenizer,
            max_length=effective.max_length,
            between_chunks=self._stop.check,
        )
        if prepared.truncated:
            self._warn(
                f"{prepared.truncated} of {len(prepared.dataset)} examples in {name} are longer "
                f"than {effective.max_length} tokens: their beginning was cut off."
            )
        if prepared.last_turn_only:
            self._warn(
                f"In {prepared.last_turn_only} examples of {name} only the last assistant turn is "
                "learned: the model's chat template rewrites earlier ones."
            )
        return prepared.dataset

    def _train(self, models: loading.Models, material: Material, effective: Effective) -> Any:
        folder = self._run.path / "checkpoints"
        trainer = build_trainer(
            self._spec,
            effective,
            models,
            material,
            checkpoints=folder,
            callback=JournalCallback(self._journal, self._stop, self._findings),
        )
        self._journal.phase("training")
        checkpoint = checkpoints.last_whole(folder)
        if checkpoint is not None:
            step = checkpoints.step_of(checkpoint)
            self._journal.notice("info", f"resumed from step {step}")
        trainer.train(resume_from_checkpoint=checkpoint and str(checkpoint))
        return trainer.model

    def _save(self, model: Any, tokenizer: Any, effective: Effective) -> Path:
        folder = save_model(model, tokenizer, run=self._run.path)
        self._findings.weights_sha256 = weights_sha256(folder)
        self._findings.artifact = RunArtifact(
            path=FOLDER,
            kind="full" if effective.adapter == "full" else "adapter",
            base=self._spec.model,
        )
        return folder

    def _probe(self, folder: Path, material: Material, effective: Effective) -> None:
        base = None if effective.adapter == "full" else self._spec.model
        prompt = first_prompt(material.train)
        answer = probe(folder, base=base, prompt=prompt, effective=effective)
        self._journal.notice("info", f"The saved model answers the first example with {answer!r}.")

    def _warn(self, message: str) -> None:
        self._journal.notice("warning", message)
