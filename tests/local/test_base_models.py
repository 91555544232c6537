"""Base models by name, found without the heavy libraries."""

import json
from pathlib import Path

import pytest

from app.providers.local.base_models import UnknownBaseModel, find_base_model, list_base_models

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "vocab_size": 100,
    "hidden_size": 8,
    "intermediate_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 64,
    "tie_word_embeddings": True,
}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub cache that holds org/small, and a network that is off."""
    model = tmp_path / "models--org--small"
    snapshot = model / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text("abc")
    (snapshot / "config.json").write_text(json.dumps(CONFIG))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return tmp_path


def test_a_folder_tells_its_size(tiny_model: Path) -> None:
    found = find_base_model(str(tiny_model))
    assert (found.parameters, found.context_length) == (90_688, 256)
    assert (found.model, found.model_type) == (str(tiny_model), "llama")


@pytest.mark.usefixtures("cache")
def test_a_cached_model_is_sized_by_its_config() -> None:
    found = find_base_model("org/small")
    assert (found.model, found.context_length) == ("org/small", 64)
    assert found.parameters == 100 * 8 + 2 * (4 * 8 * 8 + 3 * 8 * 16)
    assert found in list_base_models()


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("name", ["org/other", "nonsense", "/no/such/folder", "../up"])
def test_an_unknown_name_is_refused(name: str) -> None:
    with pytest.raises(UnknownBaseModel):
        find_base_model(name)


@pytest.mark.usefixtures("cache")
def test_with_a_network_a_hub_name_is_taken_on_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    assert find_base_model("org/other").parameters is None
