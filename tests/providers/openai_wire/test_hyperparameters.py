"""Hyperparameters and graders in OpenAI's words."""

from typing import Any

import pytest

from app.domain.jobs import Method
from app.domain.provider import Connection, Epochs
from app.providers.openai import SPEC, OpenAIOptions
from app.providers.openai_wire import hyperparameters
from app.providers.openai_wire.hyperparameters import effective, epochs, method_body

OPENAI = SPEC.connect(Connection("openai", OpenAIOptions(), "."))
GRADER: dict[str, Any] = {
    "type": "string_check",
    "name": "same",
    "input": "{{sample.output_text}}",
    "reference": "{{item.reference_answer}}",
    "operation": "eq",
}


def _codes(method: str, asked: dict[str, Any]) -> list[str]:
    base = OPENAI.base_model("o4-mini-2025-04-16")
    return [fault.code for fault in hyperparameters.faults(base, Method(method, asked))]


def test_epochs_go_under_their_name() -> None:
    asked = Method("sft", {"epochs": 3, "learning_rate_multiplier": "auto"})

    assert method_body(asked) == {
        "type": "supervised",
        "supervised": {"hyperparameters": {"n_epochs": 3, "learning_rate_multiplier": "auto"}},
    }


def test_a_grader_stands_beside_the_hyperparameters() -> None:
    body = method_body(Method("rft", {"grader": GRADER, "eval_samples": 2}))

    assert body["reinforcement"] == {"grader": GRADER, "hyperparameters": {"eval_samples": 2}}


def test_what_a_job_used_comes_back_in_our_names() -> None:
    used = {"hyperparameters": {"n_epochs": 2, "beta": 0.1, "batch_size": None}}

    assert effective({"method": {"type": "dpo", "dpo": used}}) == {"epochs": 2, "beta": 0.1}


@pytest.mark.parametrize(
    ("method", "asked", "codes"),
    [
        ("sft", {"epochs": 50, "batch_size": "auto"}, []),
        ("sft", {"epochs": 51}, ["hyperparameter_out_of_bounds"]),
        ("sft", {"beta": 0.1}, ["unknown_hyperparameter"]),
        ("sft", {"grader": GRADER}, ["unknown_hyperparameter"]),
        ("dpo", {"beta": 0}, ["hyperparameter_out_of_bounds"]),
        ("rft", {}, ["grader_missing"]),
        ("rft", {"grader": GRADER, "reasoning_effort": "low"}, []),
        ("rft", {"grader": GRADER | {"operation": "is"}}, ["grader_invalid"]),
        ("rft", {"grader": GRADER | {"reference": "{{ item.answer }}"}}, ["grader_item_unknown"]),
    ],
)
def test_what_may_not_be_sent_is_told(method: str, asked: Any, codes: list[str]) -> None:
    assert _codes(method, asked) == codes


@pytest.mark.parametrize("inner", [GRADER, {"same": GRADER}])
def test_graders_may_be_combined(inner: Any) -> None:
    combined = {"type": "multi", "name": "all", "graders": inner, "calculate_output": "same"}

    assert _codes("rft", {"grader": combined}) == []


def test_the_learning_rate_leads_to_its_multiplier() -> None:
    base = OPENAI.base_models()[0]

    (fault,) = hyperparameters.faults(base, Method("sft", {"learning_rate": 1e-5}))

    assert "learning_rate_multiplier" in fault.message
    assert fault.pointer == "/method/hyperparameters/learning_rate"


@pytest.mark.parametrize(
    ("asked", "examples", "expected"),
    [({"epochs": 4}, 10, Epochs(4, 4)), ({}, 10, Epochs(1, 10)), ({}, 5000, Epochs(1, 3))],
)
def test_epochs_are_known_or_bounded(
    asked: dict[str, Any], examples: int, expected: Epochs
) -> None:
    assert epochs(Method("sft", asked), examples) == expected
