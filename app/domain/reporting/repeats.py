"""Examples that come twice, and prompts whose answers contradict each other."""

from app.domain.reporting.findings import Finding, Lines, Severity, shown_groups
from app.domain.reporting.parts import Parts


class Repeats:
    """Remembers each prompt by its hash, with its lines by answer."""

    def __init__(self) -> None:
        self._answers: dict[bytes, dict[bytes, list[int]]] = {}
        self._rejected: dict[bytes, int] = {}

    def see(self, line: int, parts: Parts) -> None:
        """Remember one example."""
        answers = self._answers.setdefault(parts.context_key, {})
        key = parts.answer_key + (parts.rejected_key or b"")
        answers.setdefault(key, []).append(line)
        if parts.rejected_key is not None:
            self._rejected[parts.context_key + parts.rejected_key + parts.answer_key] = line

    @property
    def duplicates(self) -> int:
        """Examples that repeat an earlier one word by word."""
        return sum(
            len(lines) - 1 for answers in self._answers.values() for lines in answers.values()
        )

    def findings(self, *, are_labels: bool) -> list[Finding]:
        """What was repeated; contradicting labels are wrong, other answers may just vary."""
        return [*self._exact(), *self._contradictions(are_labels), *self._turned_round()]

    def _exact(self) -> list[Finding]:
        groups = [
            lines
            for answers in self._answers.values()
            for lines in answers.values()
            if len(lines) > 1
        ]
        if not groups:
            return []
        repeated = sorted(line for group in groups for line in group[1:])
        return [
            Finding(
                code="duplicates_exact",
                severity=Severity.WARNING,
                count=len(repeated),
                message=f"{len(repeated):,} examples repeat an earlier one word by word.",
                advice="Remove the lines named here: the model would learn them with more weight "
                "than the rest.",
                lines=repeated[:100],
                groups=shown_groups(groups),
            )
        ]

    def _contradictions(self, are_labels: bool) -> list[Finding]:
        groups = [
            sorted(line for lines in answers.values() for line in lines)
            for answers in self._answers.values()
            if len(answers) > 1
        ]
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
                lines=lines[:100],
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
