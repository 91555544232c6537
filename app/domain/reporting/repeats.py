"""Examples that come twice, and prompts whose answers contradict each other."""

from app.domain.reporting.findings import MAX_LINES, Finding, Lines, Severity, shown_groups
from app.domain.reporting.parts import Parts


class Repeats:
    """Remembers each prompt and each answer to it by its hash."""

    def __init__(self) -> None:
        self.duplicates = 0
        """Examples that repeat an earlier one word by word."""
        self._first_of_pair: dict[bytes, int] = {}
        self._first_of_prompt: dict[bytes, int] = {}
        self._twins: dict[bytes, list[int]] = {}
        self._several: dict[bytes, list[int]] = {}
        self._rejected: dict[bytes, int] = {}

    def see(self, line: int, parts: Parts) -> None:
        """Remember one example."""
        pair = parts.context_key + parts.answer_key + (parts.rejected_key or b"")
        first = self._first_of_pair.setdefault(pair, line)
        if first != line:
            self._twins.setdefault(pair, [first]).append(line)
            self.duplicates += 1
        else:
            self._see_prompt(line, parts.context_key)
        if parts.rejected_key is not None:
            self._rejected[parts.context_key + parts.rejected_key + parts.answer_key] = line

    def findings(self, *, are_labels: bool) -> list[Finding]:
        """What was repeated; contradicting labels are wrong, other answers may just vary."""
        return [*self._exact(), *self._contradictions(are_labels), *self._turned_round()]

    def _see_prompt(self, line: int, context: bytes) -> None:
        """Note an answer that this prompt has not had yet."""
        first = self._first_of_prompt.setdefault(context, line)
        if first != line:
            self._several.setdefault(context, [first]).append(line)

    def _exact(self) -> list[Finding]:
        groups = list(self._twins.values())
        if not groups:
            return []
        repeated = sorted(line for group in groups for line in group[1:])
        return [
            Finding(
                code="duplicates_exact",
                severity=Severity.WARNING,
                count=len(repeated),
                message=f"{len(repeated):,} examples repeat an earlier one word by word.",
                advice="Remove the lines named here, or let POST /datasets/{ref}/deduplicate do "
                "it: the model would learn them with more weight than the rest.",
                lines=repeated[:MAX_LINES],
                groups=shown_groups(groups),
            )
        ]

    def _contradictions(self, are_labels: bool) -> list[Finding]:
        groups = list(self._several.values())
        if not groups or self._rejected:
            return []
        lines = sorted(line for group in groups for line in group)
        return [
            Finding(
                code="contradictions",
                severity=Severity.ERROR if are_labels else Severity.WARNING,
                count=len(groups),
                message=f"{len(groups):,} prompts have different completions.",
                advice="Decide for each prompt which completion is right and drop the others. Keep "
                "several only where the task wants variety.",
                lines=lines[:MAX_LINES],
                groups=shown_groups(groups),
            )
        ]

    def _turned_round(self) -> list[Finding]:
        """Preferences whose chosen and rejected answers another example holds in reverse."""
        turned = Lines()
        for key, line in self._rejected.items():
            context, rejected, chosen = key[:12], key[12:24], key[24:]
            if context + chosen + rejected in self._rejected:
                turned.add(line)
        return turned.finding(
            "preferences_contradict",
            Severity.ERROR,
            "{} examples prefer what another example with the same prompt rejects.",
            advice="Decide which of the two answers is better and drop the other example.",
        )
