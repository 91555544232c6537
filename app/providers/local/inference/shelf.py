"""The models in memory: adapters share their base's weights, the longest unused go first."""

import gc
import itertools
from collections import OrderedDict
from collections.abc import Generator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel

from app.providers.local.inference.errors import InferenceRejected
from app.providers.local.inference.handles import ModelHandle
from app.providers.local.inference.loading import Voice, base_of, load_voice, with_tokenizer_of


@dataclass(slots=True)
class _Adapter:
    name: str
    voice: Voice
    size: int


@dataclass(slots=True)
class _Base:
    voice: Voice
    size: int
    peft: Any = None
    """A PeftModel around the same weights, from the first adapter on."""
    adapters: OrderedDict[str, _Adapter] = field(default_factory=OrderedDict)


class ModelShelf:
    """At most `max_models` whole models, each with at most `max_adapters` adapters.

    For one thread only, except for `report`.
    """

    def __init__(self, device: torch.device, *, max_models: int, max_adapters: int) -> None:
        self._device = device
        self._max_models = max_models
        self._max_adapters = max_adapters
        self._bases: OrderedDict[str, _Base] = OrderedDict()
        self._names = (f"adapter{number}" for number in itertools.count(1))
        self.report: list[dict[str, Any]] = []
        """What is loaded, with bytes of weights; replaced as a whole, so any thread may read."""

    @contextmanager
    def open(self, handle: ModelHandle) -> Generator[Voice]:
        """Load what is missing and let the model speak while the context lasts.

        Raises InferenceRejected: 404 when there is no such model, 500 when it does not load.
        """
        try:
            base, adapter = self._find(handle)
        except InferenceRejected:
            raise
        except Exception as error:
            raise InferenceRejected(
                500,
                "model_failed_to_load",
                f"{handle} did not load: {type(error).__name__}: {error}",
                param="model",
            ) from error
        finally:
            self.report = self._describe()
        if adapter is None:
            with base.peft.disable_adapter() if base.peft else nullcontext():
                yield base.voice
        else:
            base.peft.set_adapter(adapter.name, inference_mode=True)
            yield adapter.voice

    def _find(self, handle: ModelHandle) -> tuple[_Base, _Adapter | None]:
        if handle.kind == "base":
            return self._base(handle.location), None
        folder = Path(handle.location)
        location = ModelHandle.base(base_of(folder)).location
        base = self._base(location)
        try:
            return base, self._adapter(base, folder)
        except Exception:
            # An adapter that loaded by half has changed the base's layers.
            del self._bases[location]
            raise

    def _base(self, location: str) -> _Base:
        base = self._bases.get(location)
        if base is None:
            while len(self._bases) >= self._max_models:
                self._bases.popitem(last=False)
            _free_memory()
            voice = self._load(location)
            size = sum(weight.nbytes for weight in voice.weights.parameters())
            base = self._bases[location] = _Base(voice, size)
        self._bases.move_to_end(location)
        return base

    def _load(self, location: str) -> Voice:
        try:
            return load_voice(location, self._device)
        except torch.OutOfMemoryError:
            if not self._bases:
                raise
        self._bases.clear()
        _free_memory()
        return load_voice(location, self._device)

    def _adapter(self, base: _Base, folder: Path) -> _Adapter:
        adapter = base.adapters.get(str(folder))
        if adapter is None:
            voice = with_tokenizer_of(folder, base.voice)
            name = next(self._names)
            size = _load_adapter(base, folder, name)
            adapter = base.adapters[str(folder)] = _Adapter(name, voice, size)
            # The adapter that is to go must not be the active one.
            base.peft.set_adapter(name, inference_mode=True)
            while len(base.adapters) > self._max_adapters:
                _, unused = base.adapters.popitem(last=False)
                base.peft.delete_adapter(unused.name)
        base.adapters.move_to_end(str(folder))
        return adapter

    def _describe(self) -> list[dict[str, Any]]:
        return [
            {
                "model": f"base:{location}",
                "bytes": base.size,
                "adapters": [
                    {"model": f"adapter:{folder}", "bytes": adapter.size}
                    for folder, adapter in base.adapters.items()
                ],
            }
            for location, base in self._bases.items()
        ]


def _load_adapter(base: _Base, folder: Path, name: str) -> int:
    """Put the adapter into the base's layers and return the bytes that it takes."""
    if base.peft is None:
        base.peft = PeftModel.from_pretrained(base.voice.weights, str(folder), adapter_name=name)
        base.peft.eval()
    else:
        base.peft.load_adapter(str(folder), adapter_name=name)
    own = f".{name}."
    return sum(weight.nbytes for key, weight in base.peft.named_parameters() if own in key)


def _free_memory() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
