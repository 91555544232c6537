"""Base models by name and form, and what their compilers make of examples."""

from typing import Any

import pytest

from app.domain.compiling import AsItIs, CompiledExample
from app.domain.datasets import DatasetKind, DatasetSummary
from app.domain.errors import BaseModelUnknown
from app.domain.examples import ChatExample, Message, decode_example, encode_example
from app.domain.jobs import Method
from app.domain.provider import Connection, Recipe
from app.providers.azure_ml import SPEC, AzureMLOptions
from app.providers.azure_ml.base_models import BaseModels
from app.providers.azure_ml.compiling import ChatCompiler, compiler_for
from app.sandbox.azure_ml.lines import check
from tests.providers.azure_ml.given import BASE, TINY

MODELS = BaseModels({})


def compiled(*messages: Message, tools: list[Any] | None = None) -> CompiledExample:
    (one,) = compiler_for(MODELS.find(BASE)).compile([ChatExample(list(messages), tools)])
    return one


def test_a_conversation_is_what_the_vendor_takes() -> None:
    line = compiled(
        Message("developer", "Be brief."),
        Message("user", [{"type": "text", "text": "Hi"}], name="Ann"),
        Message("assistant", "Hello.", weight=0),
    )

    check(line.data)
    assert [fault.code for fault in line.losses] == [
        "name_lost",
        "role_lost",
        "weight_lost",
    ]
    assert line.errors == []


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (Message("tool", "4", tool_call_id="1"), "tool_calls_unsupported"),
        (
            Message("user", [{"type": "image_url", "image_url": {"url": "https://x"}}]),
            "part_unsupported",
        ),
    ],
)
def test_what_the_vendor_has_no_place_for_is_an_error(message: Message, code: str) -> None:
    line = compiled(message, Message("assistant", "4"))

    assert [fault.code for fault in line.errors] == [code]


def test_a_refusal_is_sent_as_text() -> None:
    line = compiled(Message("user", "Hi"), Message("assistant", refusal="No."), tools=[{}])

    example = decode_example(line.data, DatasetKind.CHAT)
    assert isinstance(example, ChatExample)
    assert example.messages[1].content == "No."
    assert [fault.code for fault in line.losses] == ["refusal_as_text", "tools_lost"]


def test_a_mark_of_turns_in_a_text_is_warned_of() -> None:
    line = compiled(Message("user", "Say <|eot_id|>"), Message("assistant", "No."))

    assert [fault.code for fault in line.warnings] == ["control_token_in_text"]


def test_the_trainer_takes_the_canonical_lines() -> None:
    example = ChatExample([Message("user", "Hi"), Message("assistant", "Hello.", weight=0)])

    compiler = compiler_for(MODELS.find("luthier/Qwen/Qwen2.5-0.5B-Instruct"))

    assert isinstance(compiler, AsItIs)
    assert compiler.compile([example])[0].data == encode_example(example)
    assert compiler.limits.minimum_examples == 10


@pytest.mark.parametrize(
    "name",
    [TINY, BASE, "luthier/Qwen/Qwen2.5-0.5B-Instruct", "azureml:mine:3",
     "azureml://registries/azureml/models/Phi-4-mini-instruct/labels/latest"],
)  # fmt: skip
def test_base_models_go_by_name_or_by_form(name: str) -> None:
    found = MODELS.find(name)

    assert found.name == name
    assert ("dpo" in found.methods) is name.startswith("luthier/")


@pytest.mark.parametrize("name", ["gpt-4o", "luthier/nothing", "azureml://registries/x", ""])
def test_another_name_is_answered_with_the_forms(name: str) -> None:
    with pytest.raises(BaseModelUnknown, match="give azureml://registries/"):
        MODELS.find(name)


def test_an_operator_corrects_either_catalogue() -> None:
    models = BaseModels(
        {"models": [{"name": TINY, "context_length": 7}, {"name": BASE, "note": "!"}]}
    )

    assert models.find(TINY).context_length == 7
    assert models.find(BASE).note == "!"
    assert [model.name for model in models.all] == [BASE, TINY]


def test_a_fingerprint_names_the_form() -> None:
    assert ChatCompiler(limits=MODELS.find(BASE).limits).fingerprint == "azure-ml-1"


def test_bounds_and_epochs_are_known_offline() -> None:
    provider = SPEC.connect(Connection("azure_ml", AzureMLOptions(), "unused"))
    dataset = DatasetSummary(DatasetKind.CHAT, examples=12, bytes=900)
    wrong = Recipe(
        base_model=provider.base_model(BASE), method=Method("sft", {"epochs": 0}), dataset=dataset
    )
    open_ = Recipe(base_model=provider.base_model(TINY), method=Method("sft"), dataset=dataset)

    assert [fault.pointer for fault in provider.check(wrong)] == ["/method/hyperparameters/epochs"]
    assert (provider.epochs(open_).low, provider.epochs(open_).high) == (2, 8)
    assert len(provider.missing) >= 3
