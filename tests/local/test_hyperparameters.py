"""Bounds, and what auto chooses."""

from typing import Any

import msgspec
import pytest

from app.providers.local.hyperparameters import Effective, Hardware, faults, resolve

CPU = Hardware(device="cpu", memory_bytes=24 << 30, threads=2)
GPU = Hardware(device="cuda", memory_bytes=24 << 30, threads=8, bfloat16=True, bitsandbytes=True)
LARGE_GPU = msgspec.structs.replace(GPU, memory_bytes=80 << 30)
TINY, EIGHT_BILLION = 2_000_000, 8_000_000_000


def settle(
    asked: dict[str, Any] | None = None,
    *,
    parameters: int | None = TINY,
    hardware: Hardware = CPU,
    **changes: Any,
) -> Effective:
    values: dict[str, Any] = {"method": "sft", "context_length": 512, "examples": 400} | changes
    return resolve(asked or {}, parameters=parameters, hardware=hardware, **values)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("epochs", 101),
        ("epochs", "many"),
        ("epochs", float("nan")),
        ("batch_size", 2.5),
        ("batch_size", True),
        ("learning_rate", 1.5),
        ("adapter", "prefix"),
        ("scheduler", ["linear"]),
    ],
)
def test_a_value_out_of_bounds_is_named(name: str, value: Any) -> None:
    (fault,) = faults({name: value})
    assert (fault.code, fault.pointer) == ("hyperparameter_out_of_bounds", f"/{name}")


def test_an_unknown_name_is_named() -> None:
    (fault,) = faults({"epoch/s": 1})
    assert (fault.code, fault.pointer) == ("unknown_hyperparameter", "/epoch~1s")


def test_auto_and_good_values_have_no_fault() -> None:
    assert faults({"epochs": 0.5, "batch_size": "auto", "adapter": "full", "beta": 1}) == []


def test_a_tiny_model_is_trained_in_full_as_measured() -> None:
    effective = settle()
    assert (effective.adapter, effective.epochs, effective.batch_size) == ("full", 6, 8)
    assert (effective.learning_rate, effective.total_steps) == (5e-4, 300)
    assert (effective.max_length, effective.dtype) == (512, "float32")


def test_lora_on_a_tiny_model_gets_its_high_rate() -> None:
    effective = settle({"adapter": "lora"})
    assert (effective.epochs, effective.batch_size, effective.lora_rank) == (8, 16, 16)
    assert effective.learning_rate == 5e-3


def test_a_large_model_gets_the_usual_lora() -> None:
    effective = settle(parameters=EIGHT_BILLION, hardware=LARGE_GPU, context_length=8192)
    assert (effective.adapter, effective.epochs, effective.learning_rate) == ("lora", 3, 2e-4)
    assert effective.batch_size * effective.gradient_accumulation_steps == 16
    assert (effective.max_length, effective.dtype) == (4096, "bfloat16")
    assert effective.gradient_checkpointing


def test_short_memory_asks_for_qlora_where_it_can_be_had() -> None:
    small = msgspec.structs.replace(GPU, memory_bytes=16 << 30)
    without = msgspec.structs.replace(small, bitsandbytes=False)
    assert settle(parameters=EIGHT_BILLION, hardware=small).adapter == "qlora"
    assert settle(parameters=EIGHT_BILLION, hardware=without).adapter == "lora"


def test_an_adapter_is_continued_as_an_adapter() -> None:
    assert settle(continues_adapter=True).adapter == "lora"


def test_preferences_are_learned_in_smaller_steps() -> None:
    effective = settle(method="dpo")
    assert (effective.learning_rate, effective.epochs) == (5e-5, 3)


def test_few_examples_still_make_several_updates_an_epoch() -> None:
    effective = settle(examples=10)
    assert (effective.batch_size, effective.total_steps) == (1, 60)


def test_rates_fall_with_size() -> None:
    sizes = [10**exponent for exponent in range(6, 12)]
    rates = [settle({"adapter": "lora"}, parameters=size).learning_rate for size in sizes]
    assert rates == sorted(rates, reverse=True)


def test_what_was_asked_stays() -> None:
    asked = {"epochs": 2, "batch_size": 3, "learning_rate": 0.1, "checkpoint_every": 7}
    effective = settle(asked, parameters=None)
    assert msgspec.to_builtins(effective).items() >= asked.items()
    assert effective.gradient_accumulation_steps == 1
