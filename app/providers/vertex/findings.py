"""What is found while examples are put into Google's form."""

from collections.abc import Mapping

import msgspec

from app.domain.errors import Fault

LOSSES: Mapping[str, str] = {
    "weight_lost": "Gemini learns from every answer of the model: weight 0 is not carried. "
    "Leave earlier turns out, or give each answer an example of its own.",
    "name_lost": "Gemini knows no names of speakers: `name` is not carried.",
    "refusal_as_text": "Gemini knows no refusals: `refusal` is sent as the text of the answer.",
    "role_lost": "Gemini has one kind of instruction: a developer message is sent as the system's.",
    "instructions_joined": "Gemini has one instruction: system messages in a row are sent as one.",
    "call_ids_lost": "Gemini knows calls of tools by their names and order: ids are not carried.",
    "turns_joined": "Gemini's turns alternate: turns of one speaker in a row are sent as one.",
    "parallel_tool_calls_lost": "`parallel_tool_calls` is not carried.",
    "strict_lost": "`strict` of a tool is not carried.",
    "image_detail_lost": "`detail` of an image is not carried.",
    "number_precision": "Gemini keeps numbers in tool calls as doubles; a large whole number "
    "changes. Send it as text.",
}
"""By code: what Google's form cannot carry, and what becomes of it."""


class Findings(msgspec.Struct):
    """Errors, warnings and losses of one example."""

    errors: list[Fault] = []
    warnings: list[Fault] = []
    losses: list[Fault] = []

    def refuse(self, code: str, message: str) -> None:
        """Vertex AI would not take the example."""
        self.errors.append(Fault(code, message))

    def warn(self, code: str, message: str) -> None:
        """It would, and a person should look."""
        self.warnings.append(Fault(code, message))

    def lose(self, code: str) -> None:
        """Something is not carried; told once for an example."""
        fault = Fault(code, LOSSES[code])
        if fault not in self.losses:
            self.losses.append(fault)
