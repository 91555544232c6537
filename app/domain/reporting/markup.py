"""Tokens of chat templates inside texts: a model would take them for the end of a turn."""

import re

from app.domain.reporting.findings import Finding, Lines, Severity

_SPECIAL = re.compile(
    r"<\|[a-z0-9_./ ]{1,40}\|>"  # ChatML, Llama 3, Phi, GPT
    r"|<\uff5c[^<>]{1,40}\uff5c>"  # DeepSeek
    r"|\[/?(?:INST|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|SYSTEM_PROMPT)\]|<</?SYS>>"  # Mistral
    r"|</?(?:start|end)_of_(?:turn|image)>"  # Gemma
    r"|</?s>|<(?:bos|eos|pad|unk|mask)>",
    re.IGNORECASE,
)


class Markup:
    """Looks for special tokens in every text of an example."""

    def __init__(self) -> None:
        self._lines = Lines()

    def see(self, line: int, texts: list[str]) -> None:
        """Look at one example."""
        if any(("<" in text or "[" in text) and _SPECIAL.search(text) for text in texts):
            self._lines.add(line)

    def findings(self) -> list[Finding]:
        """The lines that carry one."""
        return self._lines.finding(
            "template_tokens",
            Severity.ERROR,
            "{} examples have tokens of a chat template, such as `<|im_end|>`, inside a text.",
            advice="Remove them: every provider adds its own, and one inside a text ends the turn "
            "there. They come from data that was already rendered for another model.",
        )
