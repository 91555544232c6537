"""What answers cost by the price list of the base model, before they are given and after."""

from decimal import Decimal
from typing import Any

import msgspec

from app.domain.catalogue import BaseModel, PriceUnit

MILLION = 1_000_000

CHARACTERS_PER_TOKEN = 2
"""Few texts have more tokens: what is set aside for a question must suffice."""


class Rates(msgspec.Struct, frozen=True):
    """US dollars for a million tokens that are read, and for a million that are written."""

    input: Decimal
    output: Decimal

    def cost(self, *, read: int, written: int) -> float:
        """US dollars for so many tokens."""
        return float((self.input * read + self.output * written) / MILLION)

    def at_most(self, request: dict[str, Any]) -> float:
        """What a request may cost, its answer as long as it may be."""
        length = len(msgspec.json.encode(request))
        return self.cost(read=length // CHARACTERS_PER_TOKEN + 1, written=request["max_tokens"])


def rates_of(base: BaseModel) -> Rates | None:
    """The rates of the usual tier; zero where the whole price list is, None where none is known."""
    usual = [price for price in base.prices if price.tier is None]
    read, written = (
        next((price.usd for price in usual if price.unit is unit), None)
        for unit in (PriceUnit.INPUT_TOKENS, PriceUnit.OUTPUT_TOKENS)
    )
    if read is not None and written is not None:
        return Rates(read, written)
    is_free = bool(usual) and all(price.usd == 0 for price in usual)
    return Rates(Decimal(0), Decimal(0)) if is_free else None
