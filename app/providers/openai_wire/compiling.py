"""Canonical examples to the lines of an OpenAI training file, with all that is wrong or lost."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import structs

from app.domain.catalogue import Limits
from app.domain.compiling import CompiledExample, HoldsNothing
from app.domain.errors import Fault
from app.domain.examples import ChatExample, Example, Message, PreferenceExample
from app.domain.tokens import ESTIMATE, TokenMeasure, estimate_example
from app.providers.openai_wire import rules
from app.providers.openai_wire.lines import REFERENCE_ANSWER, REFERENCE_TOOL_CALLS, complaint

_VERSION = "1"
_encoder = msgspec.json.Encoder()

_ROLE_OF_INSTRUCTIONS = {"sft": "system", "dpo": "system", "rft": "developer"}
"""The one role that a method's lines know for instructions."""


class LineCompiler(HoldsNothing):
    """The compiler for one method (`sft`, `dpo`, `rft`); tokens are estimated.

    `prefix` stands before the first line, such as a byte order mark.
    """

    measure: TokenMeasure = ESTIMATE
    warnings: Sequence[Fault] = ()

    def __init__(self, method: str, *, limits: Limits, prefix: bytes = b"") -> None:
        self.limits = limits
        self.prefix = prefix
        self._method = method
        self._compile = {"sft": _supervised, "dpo": _preference, "rft": _reinforcement}[method]

    @property
    def fingerprint(self) -> str:
        """Method, prefix and limits decide."""
        parts = (self._method.encode(), self.prefix, _encoder.encode(self.limits))
        return f"openai-{_VERSION}:{hashlib.sha256(b'|'.join(parts)).hexdigest()[:16]}"

    def compile(self, examples: Sequence[Example]) -> Sequence[CompiledExample]:
        """One line for each example, in order."""
        return [self._compile_one(example) for example in examples]

    def _compile_one(self, example: Example) -> CompiledExample:
        losses: list[Fault] = []
        line, turns = self._compile(example, losses)
        data = _encoder.encode(line)
        return CompiledExample(
            data=data,
            tokens=estimate_example(example),
            errors=[*_malformed(data, self._method), *rules.errors(turns, line, data)],
            warnings=list(rules.warnings(turns, method=self._method)),
            losses=losses,
        )


def _supervised(example: Example, losses: list[Fault]) -> tuple[Any, Sequence[Message]]:
    assert isinstance(example, ChatExample)
    turns = _carried(example.messages, "sft", losses)
    return structs.replace(example, messages=turns), turns


def _preference(example: Example, losses: list[Fault]) -> tuple[Any, Sequence[Message]]:
    assert isinstance(example, PreferenceExample)
    turns = _carried(example.prompt, "dpo", losses)
    chosen = _unweighted(_carried(example.chosen, "dpo", losses), losses)
    rejected = _unweighted(_carried(example.rejected, "dpo", losses), losses)
    asked = ChatExample(turns, example.tools, example.parallel_tool_calls)
    line = {"input": asked, "preferred_output": chosen, "non_preferred_output": rejected}
    return line, [*turns, *chosen, *rejected]


def _reinforcement(example: Example, losses: list[Fault]) -> tuple[Any, Sequence[Message]]:
    """The conversation up to its last answer, and that answer for the graders to compare with."""
    assert isinstance(example, ChatExample)
    *asked, answer = _carried(example.messages, "rft", losses)
    line: dict[str, Any] = {"messages": asked}
    if example.tools:
        line["tools"] = example.tools
    if example.parallel_tool_calls is not None:
        losses.append(
            Fault("parallel_tool_calls_lost", "Reinforcement has no parallel_tool_calls.")
        )
    losses += _left_out(answer)
    line[REFERENCE_ANSWER] = _text_of(answer)
    if answer.tool_calls:
        line[REFERENCE_TOOL_CALLS] = answer.tool_calls
    return line, [*asked, answer]


def _carried(messages: Sequence[Message], method: str, losses: list[Fault]) -> list[Message]:
    """The messages as the lines of a method can hold them."""
    role = _ROLE_OF_INSTRUCTIONS[method]
    return [_carry(message, role, losses) for message in messages]


def _carry(message: Message, instructions: str, losses: list[Fault]) -> Message:
    if _fits(message, instructions):
        return message
    changes: dict[str, Any] = {}
    if message.role in ("system", "developer") and message.role != instructions:
        changes["role"] = instructions
        told = f"{message.role} messages become {instructions} messages."
        losses.append(Fault("role_lost", told))
    for name in _homeless(message):
        changes[name] = None
        told = f"A {message.role} message cannot carry `{name}` here."
        losses.append(Fault(f"{name}_lost", told))
    if message.role == "tool" and message.content in (None, []):
        changes["content"] = ""
        losses.append(Fault("content_lost", "A tool's result without content becomes empty text."))
    elif message.content == []:
        changes["content"] = None
        losses.append(Fault("content_lost", "An empty list of parts becomes no content."))
    return structs.replace(message, **changes)


def _fits(message: Message, instructions: str) -> bool:
    """A quick yes to most messages: a role with a text."""
    is_plain = isinstance(message.content, str) and message.role in (
        instructions,
        "user",
        "assistant",
    )
    return is_plain and not (message.tool_calls == [] or any(_homeless(message)))


def _homeless(message: Message) -> Iterable[str]:
    """Fields that no line has for the message's role."""
    if message.role != "assistant" and message.refusal is not None:
        yield "refusal"
    if message.role != "tool" and message.tool_call_id is not None:
        yield "tool_call_id"
    if message.role == "tool" and message.name is not None:
        yield "name"
    if message.tool_calls == []:
        yield "tool_calls"


def _unweighted(answers: Sequence[Message], losses: list[Fault]) -> list[Message]:
    if any(answer.weight == 0 for answer in answers):
        losses.append(Fault("weight_lost", "The answers of a preference carry no `weight`."))
    return [structs.replace(answer, weight=None) for answer in answers]


def _left_out(answer: Message) -> Iterable[Fault]:
    """What a reference cannot say of the answer that it repeats."""
    is_lost = {
        "weight": answer.weight == 0,
        "name": answer.name is not None,
        "refusal": answer.refusal is not None and bool(answer.content),
    }
    for name in filter(is_lost.get, is_lost):
        yield Fault(f"{name}_lost", f"The answer to compare with carries no `{name}`.")


def _text_of(answer: Message) -> str:
    if isinstance(answer.content, list):
        return "".join(str(part.get("text", "")) for part in answer.content)
    return answer.content or answer.refusal or ""


_PLACE = re.compile(r" - at `\$\.?(.*)`$")


def _malformed(line: bytes, method: str) -> Iterable[Fault]:
    problem = complaint(line, method)
    if problem is None:
        return
    place = _PLACE.search(problem)
    where = f"{place[1]}: " if place and place[1] else ""
    yield Fault("line_invalid", f"{where}{_PLACE.sub('', problem)}.")
