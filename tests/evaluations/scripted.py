"""A vendor whose models do as their prompts say, at a price, and whose judge is a rule."""

import json
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from app.domain.catalogue import BaseModel, Price, PriceUnit
from app.domain.errors import Invalid, ModelUnavailable
from app.domain.provider import Servable
from tests.simulated.simulated_provider import SimulatedOptions, SimulatedProvider

Json = dict[str, Any]
INPUT_USD, OUTPUT_USD = 1_000_000, 2_000_000
"""For a million tokens: a dollar for each word that is read, two for each that is written."""


class ScriptedVendor(SimulatedProvider):
    """`echo` repeats the prompt, `mute` says that it does not know, `judge` goes by `ruling`.

    A prompt with `forbidden` is refused, one with `broken` never gets an answer.
    """

    def __init__(self, options: SimulatedOptions) -> None:
        super().__init__(options)
        self.ruling: Callable[[str], Json] = _undecided

    def base_models(self) -> Sequence[BaseModel]:
        prices = [
            _price(PriceUnit.INPUT_TOKENS, INPUT_USD),
            _price(PriceUnit.OUTPUT_TOKENS, OUTPUT_USD),
        ]
        names = ("sim-base", "echo", "mute", "judge")
        return [BaseModel(name, ["sft"], prices=prices) for name in names] + [
            BaseModel("unpriced", ["sft"])
        ]

    async def chat(self, model: Servable, request: Json) -> Json:
        asked = str(request["messages"][-1]["content"])
        completion = await super().chat(model, request)
        if "forbidden" in asked:
            raise Invalid("The prompt is forbidden.")
        if "broken" in asked:
            raise ModelUnavailable("The vendor stumbles.")
        message = self._message(model, asked, request)
        usage = {
            "prompt_tokens": len(asked.split()),
            "completion_tokens": len((message["content"] or "").split()),
        }
        return completion | {"choices": [{"index": 0, "message": message}], "usage": usage}

    def _message(self, model: Servable, asked: str, request: Json) -> Json:
        message: Json = {"role": "assistant", "content": None}
        if model.base_model == "judge":
            return message | {"content": json.dumps(self.ruling(asked))}
        if request.get("tools"):
            function = {"name": "look", "arguments": json.dumps({"where": asked})}
            call = {"id": "1", "type": "function", "function": function}
            return message | {"tool_calls": [call]}
        is_mute = model.base_model in ("mute", "sim-base") and model.artifact is None
        return message | {"content": "I do not know." if is_mute else asked}


def _undecided(asked: str) -> Json:
    return {"score": 3}


def _price(unit: PriceUnit, usd: int) -> Price:
    return Price(unit=unit, usd=Decimal(usd), source="the script", as_of=date(2026, 1, 1))
