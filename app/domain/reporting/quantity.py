"""Whether there are enough examples to learn from."""

from app.domain.reporting.findings import Level, Quantity

USABLE = 200
ROBUST = 2_000


def judge_quantity(examples: int) -> Quantity:
    """The verdict on a number of examples that differ from each other."""
    if examples < USABLE:
        return Quantity(
            level=Level.TOO_FEW,
            examples=examples,
            message=f"{examples:,} examples are enough to try the way out, not to rely on the "
            "result. Collect a few hundred at the least.",
        )
    if examples < ROBUST:
        return Quantity(
            level=Level.USABLE,
            examples=examples,
            message=f"{examples:,} examples are enough for one narrow task. Thousands make a model "
            "robust against inputs that nobody thought of.",
        )
    return Quantity(
        level=Level.ROBUST,
        examples=examples,
        message=f"{examples:,} examples are enough for a robust model, if they are as varied as "
        "what it will meet.",
    )
