"""Tuned weights taken along: they load elsewhere, say the same, and are made again by a card."""

import io
import json
import tarfile
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from app import bootstrap
from app.providers.local.base_models import find_base_model
from app.settings import Settings
from tests.api import expect
from tests.api.given import Json, created, dataset, ended
from tests.serving import api

pytestmark = pytest.mark.parametrize("pattern", ["sqlite"], indirect=True)

ASKED = {"role": "user", "content": "say 3"}
RECIPE: Json = {
    "provider": "local",
    "base_model": "luthier-tiny",
    "dataset": "echo",
    "seed": 7,
    "method": {"hyperparameters": {"adapter": "lora", "epochs": 4, "batch_size": 4}},
}


@pytest.fixture
async def local(database_url: str, tmp_path: Path) -> AsyncGenerator[httpx.AsyncClient]:
    """The service at work on this machine, with one thread."""
    settings = Settings(
        data_dir=tmp_path, database_url=database_url, providers={"local": {"threads": 1}}
    )
    async with api(bootstrap.build(settings), reconcile=True) as client:
        yield client


async def trained(client: httpx.AsyncClient, body: Json) -> Json:
    """The tuned model of a job."""
    done = await ended(client, created(await client.post("/jobs", json=body)))
    assert done["status"] == "succeeded", done["error"]
    return (await client.get(f"/models/{done['tuned_model']}")).json()


async def unpacked(client: httpx.AsyncClient, model: str, weights: str, into: Path) -> Path:
    """The folder that an export holds, however often it says to ask again."""
    answer = await client.get(f"/models/{model}/export", params={"weights": weights}, timeout=120)
    while answer.status_code == 503 and "ask again" in answer.text:
        answer = await client.get(answer.request.url, timeout=120)
    assert answer.status_code == 200, answer.text
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        archive.extractall(into, filter="data")
    return into / f"{model}-{weights}"


async def known(client: httpx.AsyncClient, path: str) -> bool:
    """Whether what was got is not sent again to whoever has it."""
    first = await client.get(path)
    second = await client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    return (second.status_code, second.content) == (304, b"")


def greedy(model: Any, folder: Path, tokens: int) -> list[int]:
    """What the model answers, as transformers' own users ask it."""
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    asked = tokenizer.apply_chat_template(
        [ASKED], add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    said = model.eval().generate(**asked, max_new_tokens=tokens, do_sample=False)
    return said[0, asked["input_ids"].shape[1] :].tolist()


async def test_exported_weights_say_the_same_as_the_service(
    local: httpx.AsyncClient, tmp_path: Path
) -> None:
    await dataset(local)
    tuned = (await trained(local, RECIPE))["id"]
    answer = await local.post(
        f"/models/{tuned}/chat/completions",
        json={"messages": [ASKED], "max_tokens": 24, "temperature": 0},
        timeout=120,
    )
    said = answer.json()["choices"][0]["message"]["content"]

    adapter = await unpacked(local, tuned, "adapter", tmp_path)
    merged = await unpacked(local, tuned, "merged", tmp_path)

    base = find_base_model("luthier-tiny").model
    whole: Any = AutoModelForCausalLM.from_pretrained(merged, dtype=torch.float32)
    laid_over: Any = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), str(adapter)
    )
    tokens = greedy(whole, merged, 24)
    assert greedy(laid_over, adapter, 24) == tokens
    tokenizer: Any = AutoTokenizer.from_pretrained(merged)
    assert tokenizer.decode(tokens, skip_special_tokens=True) == said
    for folder in (adapter, merged):
        assert json.loads((folder / "card.json").read_text())["model"]["id"] == tuned
        assert (folder / "README.md").read_text().startswith("---\nbase_model:")
        assert (folder / "chat_template.jinja").is_file()
    named = json.loads((adapter / "adapter_config.json").read_text())["base_model_name_or_path"]
    assert named == "luthier-tiny"
    assert await known(local, f"/models/{tuned}/export")


async def test_a_card_makes_the_very_same_weights(local: httpx.AsyncClient) -> None:
    await dataset(local)
    first = await trained(local, RECIPE | {"validation_split": 0.2})
    card = (await local.get(f"/models/{first['id']}/card")).json()

    second = await trained(local, {"card": card})

    again = (await local.get(f"/models/{second['id']}/card")).json()
    assert again["training"]["sent"] == card["training"]["sent"]
    assert again["validation"]["sent"] == card["validation"]["sent"]
    assert again["method"]["effective"] == card["method"]["effective"]
    assert again["base_model"]["sha256"] == card["base_model"]["sha256"] is not None
    assert second["sha256"] == first["sha256"] is not None


@pytest.mark.long
async def test_a_whole_model_has_no_adapter(local: httpx.AsyncClient) -> None:
    await dataset(local)
    hyperparameters = {"epochs": 1, "adapter": "full"}
    tuned = await trained(local, RECIPE | {"method": {"hyperparameters": hyperparameters}})

    refused = await local.get(f"/models/{tuned['id']}/export?weights=adapter")

    assert "weights=merged" in expect.refused(refused, 409, "export_impossible")["detail"]
    assert (await local.get(f"/models/{tuned['id']}/export")).status_code == 200
