"""Base models by name: the packaged one, folders, and Hugging Face models in the local cache."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

PACKAGED_NAME = "luthier-tiny"
_PACKAGED_FOLDER = Path(__file__).with_name("luthier_tiny")
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_TRUE_WORDS = {"1", "on", "yes", "true"}
# A safetensors file opens with its header's length; more than this is no header.
_LARGEST_HEADER = 100_000_000


class UnknownBaseModel(ValueError):
    """There is no such base model; the message says what to do."""


class LocalBaseModel(msgspec.Struct, frozen=True, kw_only=True):
    """A base model as found: `model` is what from_pretrained gets; None where nothing tells."""

    name: str
    model: str
    parameters: int | None = None
    context_length: int | None = None
    model_type: str | None = None


def find_base_model(name: str) -> LocalBaseModel:
    """The base model of that name: `luthier-tiny`, a folder's path, or `org/name` of the hub.

    A hub name that is not in the cache will be downloaded when training starts, so nothing is
    known of its size yet. Raises UnknownBaseModel.
    """
    if name == PACKAGED_NAME:
        return _described(name, _PACKAGED_FOLDER)
    if Path(name).is_absolute():
        return _from_folder(name)
    if not _HUB_NAME.fullmatch(name):
        raise UnknownBaseModel(
            f"{name!r} is no base model: give {PACKAGED_NAME}, the absolute path of a model's "
            "folder, or a Hugging Face name such as org/name."
        )
    snapshot = _cached_snapshot(name)
    if snapshot is not None:
        return _described(name, snapshot, model=name)
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in _TRUE_WORDS:
        raise UnknownBaseModel(
            f"{name} is not in the Hugging Face cache ({_hub_cache()}) and HF_HUB_OFFLINE forbids "
            "a download: fetch it first with `hf download`, or give a folder."
        )
    return LocalBaseModel(name=name, model=name)


def list_base_models() -> list[LocalBaseModel]:
    """The packaged model and every causal language model that the hub cache holds, by name."""
    cached = (_described(name, folder, model=name) for name, folder in _cached_models())
    return [find_base_model(PACKAGED_NAME), *sorted(cached, key=lambda model: model.name)]


def model_folder(model: str) -> Path | None:
    """Where the files of a model lie, by what from_pretrained gets; None where none are here."""
    return Path(model) if Path(model).is_absolute() else _cached_snapshot(model)


def _from_folder(name: str) -> LocalBaseModel:
    folder = Path(name)
    if not (folder / "config.json").is_file():
        raise UnknownBaseModel(f"{name} is no model's folder: there is no config.json in it.")
    return _described(name, folder)


def _described(name: str, folder: Path, *, model: str | None = None) -> LocalBaseModel:
    config = _read_json(folder / "config.json")
    text_config = config.get("text_config") or config
    return LocalBaseModel(
        name=name,
        model=model or str(folder),
        parameters=_stored_parameters(folder) or _estimated_parameters(text_config),
        context_length=text_config.get("max_position_embeddings"),
        model_type=config.get("model_type"),
    )


def _stored_parameters(folder: Path) -> int | None:
    """The sum over the tensors that the headers of the safetensors files name."""
    total = sum(_tensor_sizes(folder))
    return total or None


def _tensor_sizes(folder: Path) -> Iterator[int]:
    for path in folder.glob("*.safetensors"):
        for name, tensor in _safetensors_header(path).items():
            if name != "__metadata__":
                size = 1
                for length in tensor["shape"]:
                    size *= length
                yield size


def _safetensors_header(path: Path) -> dict[str, Any]:
    """The JSON header, whose length stands in the file's first eight bytes, little-endian."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            return json.loads(file.read(length)) if length <= _LARGEST_HEADER else {}
    except (OSError, ValueError):
        return {}


def _estimated_parameters(config: dict[str, Any]) -> int | None:
    """Embeddings plus attention and a gated feed-forward per layer, as Llama and its kin have."""
    try:
        hidden, layers = config["hidden_size"], config["num_hidden_layers"]
        heads = config["num_attention_heads"]
        head_size = config.get("head_dim") or hidden // heads
        key_values = config.get("num_key_value_heads") or heads
        attention = 2 * hidden * head_size * (heads + key_values)
        feed_forward = 3 * hidden * config.get("intermediate_size", 4 * hidden)
        embeddings = config["vocab_size"] * hidden
    except (KeyError, TypeError):
        return None
    tied = config.get("tie_word_embeddings", True)
    return layers * (attention + feed_forward) + embeddings * (1 if tied else 2)


def _cached_models() -> Iterator[tuple[str, Path]]:
    for folder in _hub_cache().glob("models--*--*"):
        name = folder.name.removeprefix("models--").replace("--", "/", 1)
        snapshot = _cached_snapshot(name)
        if snapshot is not None and _is_causal(_read_json(snapshot / "config.json")):
            yield name, snapshot


def _is_causal(config: dict[str, Any]) -> bool:
    return any(str(kind).endswith("ForCausalLM") for kind in config.get("architectures") or ())


def _cached_snapshot(name: str) -> Path | None:
    """The folder of the revision `main` in the hub cache, if its config was downloaded."""
    folder = _hub_cache() / f"models--{name.replace('/', '--')}"
    try:
        revision = (folder / "refs" / "main").read_text().strip()
    except OSError:
        return None
    snapshot = folder / "snapshots" / revision
    return snapshot if (snapshot / "config.json").is_file() else None


def _hub_cache() -> Path:
    """Where huggingface_hub keeps models, by the same variables that it reads."""
    home = os.environ.get("HF_HOME") or Path(
        os.environ.get("XDG_CACHE_HOME") or "~/.cache", "huggingface"
    )
    return Path(os.environ.get("HF_HUB_CACHE") or Path(home, "hub")).expanduser()


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
