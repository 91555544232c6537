"""Amounts as whole millionths of a dollar, so that sums are exact."""

from decimal import Decimal

_MICRO = Decimal("0.000001")

_CENT = 10_000
"""Millionths of a dollar."""


def micros(amount: Decimal | None) -> int | None:
    """An amount as it is kept."""
    return None if amount is None else int((amount / _MICRO).to_integral_value())


def usd(micros: int | None) -> Decimal | None:
    """Dollars with two digits where they say all, else with six."""
    if micros is None:
        return None
    amount = Decimal(int(micros)) * _MICRO
    return amount if int(micros) % _CENT else amount.quantize(Decimal("0.01"))
