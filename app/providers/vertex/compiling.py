"""Examples as the lines that Vertex AI tunes Gemini with.

Supervised: `{"systemInstruction"?, "contents", "tools"?}`. Preference:
`{"system_instruction"?, "contents", "completions": [{"score", "completion"}, ...]}`.
https://docs.cloud.google.com/vertex-ai/generative-ai/docs/models/gemini-preference-tuning-prepare
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from app.domain.catalogue import Limits
from app.domain.compiling import CompiledExample, HoldsNothing
from app.domain.errors import Fault
from app.domain.examples import ChatExample, Example, PreferenceExample
from app.domain.tokens import ESTIMATE, TokenMeasure, estimate_example
from app.providers.vertex.contents import conversation, model_turn, texts_only
from app.providers.vertex.findings import Findings
from app.providers.vertex.tools import declarations

_encoder = msgspec.json.Encoder()


class VertexCompiler(HoldsNothing, msgspec.Struct, frozen=True, kw_only=True):
    """The compiler of Gemini's two forms; tokens are estimated, for Google counts them online."""

    limits: Limits
    fingerprint: str = "vertex-2"
    prefix: bytes = b""
    measure: TokenMeasure = ESTIMATE
    warnings: tuple[Fault, ...] = ()

    def compile(self, examples: Sequence[Example]) -> Sequence[CompiledExample]:
        """One line for each example."""
        return [_compiled(example) for example in examples]


def _compiled(example: Example) -> CompiledExample:
    findings = Findings()
    if isinstance(example, ChatExample):
        line = _supervised(example, findings)
    else:
        line = _preference(example, findings)
    if example.parallel_tool_calls is not None:
        findings.lose("parallel_tool_calls_lost")
    return CompiledExample(
        data=_encoder.encode(line),
        tokens=estimate_example(example),
        errors=findings.errors,
        warnings=findings.warnings,
        losses=findings.losses,
    )


def _supervised(example: ChatExample, findings: Findings) -> dict[str, Any]:
    found = conversation(example.messages, findings)
    line: dict[str, Any] = {"contents": found.contents}
    if found.system:
        line = {"systemInstruction": {"role": "system", "parts": found.system}} | line
    if example.tools:
        line["tools"] = declarations(example.tools, findings)
    return line


def _preference(example: PreferenceExample, findings: Findings) -> dict[str, Any]:
    found = conversation(example.prompt, findings)
    answers = [model_turn(answer, findings) for answer in (example.chosen, example.rejected)]
    _check_preference(example, [*found.contents, *answers], findings)
    line: dict[str, Any] = {
        "contents": found.contents,
        "completions": [
            {"score": score, "completion": answer}
            for score, answer in zip((1, 0), answers, strict=True)
        ],
    }
    if found.system:
        return {"system_instruction": {"parts": found.system}} | line
    return line


def _check_preference(
    example: PreferenceExample, contents: Sequence[dict[str, Any]], findings: Findings
) -> None:
    if example.tools or not texts_only(contents):
        findings.refuse(
            "preference_text_only",
            "Gemini's preference tuning takes text only: no tools, no images.",
        )
    if example.prompt[-1].role != "user":
        findings.refuse("role_order", "The prompt of a preference must end with the user's turn.")
