"""Methods and their hyperparameters in OpenAI's words, and what may not be sent."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from app.domain.catalogue import BaseModel, bounds_broken
from app.domain.errors import Fault
from app.domain.jobs import Method
from app.domain.provider import Epochs
from app.providers.openai_wire import graders

METHOD_NAMES: Mapping[str, str] = {"sft": "supervised", "dpo": "dpo", "rft": "reinforcement"}

_POINTER = "/method/hyperparameters"


def faults(base_model: BaseModel, method: Method) -> Sequence[Fault]:
    """All that is wrong with a method's hyperparameters for a base model."""
    asked = {name: value for name, value in method.hyperparameters.items() if name != "grader"}
    found = [_advised(fault) for fault in bounds_broken(base_model, method.type, asked)]
    if method.type == "rft":
        grader = method.hyperparameters.get("grader")
        found += [Fault(code, text, f"{_POINTER}/grader") for code, text in graders.wrong(grader)]
    elif "grader" in method.hyperparameters:
        text = "Only the method rft takes a grader."
        found.append(Fault("unknown_hyperparameter", text, f"{_POINTER}/grader"))
    return found


def epochs(method: Method, examples: int) -> Epochs:
    """How often each example is seen: as asked for, or what `auto` comes to.

    The rule of OpenAI's cookbook (Data preparation and analysis for chat model fine-tuning) is
    three epochs, up to 25 where that makes fewer than 100 examples, and down to one where it
    makes more than 25,000; newer models may follow another, so that one is always the least.
    """
    asked = method.hyperparameters.get("epochs", "auto")
    if asked != "auto":
        return Epochs(asked, asked)
    most = min(25, max(3, 100 // max(examples, 1)))
    return Epochs(1, most)


def method_body(method: Method) -> dict[str, Any]:
    """The `method` of a create."""
    name = METHOD_NAMES[method.type]
    body: dict[str, Any] = {"hyperparameters": hyperparameters_body(method)}
    if "grader" in method.hyperparameters:
        body["grader"] = method.hyperparameters["grader"]
    return {"type": name, name: body}


def hyperparameters_body(method: Method) -> dict[str, Any]:
    """Their names for what was asked; what was not asked is left to them."""
    return {
        "n_epochs" if name == "epochs" else name: value
        for name, value in method.hyperparameters.items()
        if name != "grader"
    }


def effective(job: Mapping[str, Any]) -> dict[str, Any]:
    """The hyperparameters that a job says it used, in our names."""
    method: Mapping[str, Any] = job.get("method") or {}
    details = method.get(method.get("type") or "") or {}
    used: Mapping[str, Any] = details.get("hyperparameters") or job.get("hyperparameters") or {}
    return {
        "epochs" if name == "n_epochs" else name: value
        for name, value in used.items()
        if value is not None
    }


def _advised(fault: Fault) -> Fault:
    if fault.pointer != f"{_POINTER}/learning_rate":
        return fault
    message = (
        "The learning rate itself cannot be set here: set learning_rate_multiplier, which "
        "scales the rate that the provider chooses."
    )
    return msgspec.structs.replace(fault, message=message)
