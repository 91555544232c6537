"""The submission key in the suffix of the tuned model's name, where there is no other place."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from app.domain.errors import Never
from app.domain.provider import TrainingPlan

_PREFIX = "lt-"
_LONGEST = 40


class SuffixTag(msgspec.Struct, frozen=True):
    """The key itself after `lt-`; the job's name has no room beside it.

    Anybody may give a job the same suffix: what is found by it is ours by custom alone.
    """

    def fields(self, plan: TrainingPlan) -> Mapping[str, Any]:
        """The suffix."""
        suffix = f"{_PREFIX}{plan.key}"
        if len(suffix) > _LONGEST:
            raise Never(
                "The submission key is too long for a suffix of Azure's dated API.",
                code="provider_refused",
                hint="Leave api_version unset.",
            )
        return {"suffix": suffix}

    def queries(self, key: str) -> Sequence[Mapping[str, str]]:
        """Everything: there is no filter."""
        return [{}]

    def key_of(self, job: Mapping[str, Any]) -> str | None:
        """What stands after `lt-`."""
        suffix: str = job.get("suffix") or ""
        return suffix.removeprefix(_PREFIX) if suffix.startswith(_PREFIX) else None
