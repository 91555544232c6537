"""Google's lines as canonical examples: the way back from what `compiling` writes."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from app.domain.errors import DatasetInvalid, Fault
from app.domain.examples import (
    ChatExample,
    Example,
    Message,
    PreferenceExample,
    RowInvalid,
    encode_example,
)
from app.domain.intake import FAULTS_KEPT
from app.domain.reading.repeats import refuse_repeated_keys
from app.providers.vertex.lines import Completion, Declaration, Line
from app.providers.vertex.schemas import restore
from app.providers.vertex.spelling import camel
from app.providers.vertex.turns import answers, content_of, messages

_any = msgspec.json.Decoder()


class Restoration:
    """Takes a file's lines in order; what cannot be turned back is kept with its place."""

    def __init__(self) -> None:
        self._ended = 0
        self._faults: list[Fault] = []
        self._fault_count = 0

    def take(self, lines: Sequence[bytes]) -> bytes:
        """The canonical rows; none after the first fault, for there will be no dataset."""
        rows = [self._row(line) for line in lines]
        return b"" if self._fault_count else b"".join(rows)

    def finish(self) -> None:
        """Raise `DatasetInvalid` with every line that has no canonical form."""
        if self._fault_count:
            raise DatasetInvalid(
                f"{self._fault_count} of the file's rows hold what no example here can hold.",
                faults=self._faults,
                fault_count=self._fault_count,
            )

    def _row(self, line: bytes) -> bytes:
        try:
            return restored(line)
        except RowInvalid as verdict:
            self._fault_count += 1
            if len(self._faults) < FAULTS_KEPT:
                self._faults.append(verdict.at(self._ended + 1))
            return b""
        finally:
            self._ended += line.endswith(b"\n")


def restored(line: bytes) -> bytes:
    """The canonical line of a line of Google's; any other is given back as it is.

    Raises `RowInvalid` for what would be lost on the way.
    """
    try:
        row = _any.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return line
    if not isinstance(row, dict) or "contents" not in row:
        return line
    refuse_repeated_keys(line)
    return encode_example(_example(_line(row))) + b"\n"


def _line(row: Any) -> Line:
    try:
        return msgspec.convert(camel(row), Line)
    except msgspec.ValidationError as error:
        raise RowInvalid("row_shape", f"{error}.") from error
    except RecursionError as error:
        raise RowInvalid("row_too_deep", "The row is nested too deeply; flatten it.") from error


def _example(line: Line) -> Example:
    said = [*_system(line), *messages(line.contents)]
    tools = [_tool(one) for tool in line.tools or () for one in tool.function_declarations] or None
    if line.completions is None:
        return ChatExample(messages=said, tools=tools)
    chosen, rejected = _ranked(line.completions)
    return PreferenceExample(prompt=said, chosen=chosen, rejected=rejected, tools=tools)


def _system(line: Line) -> Iterator[Message]:
    if line.system_instruction is not None:
        yield Message("system", content_of(line.system_instruction.parts))


def _ranked(completions: Sequence[Completion]) -> Iterator[list[Message]]:
    """The answers, the better one first."""
    if len({one.score for one in completions}) != len(completions):
        raise RowInvalid("row_shape", "Both `completions` have the same `score`.")
    ranked = sorted(completions, key=lambda one: one.score, reverse=True)
    return (list(answers(one.completion)) for one in ranked)


def _tool(declared: Declaration) -> dict[str, Any]:
    function: dict[str, Any] = {"name": declared.name}
    if declared.description is not None:
        function["description"] = declared.description
    if declared.parameters:
        function["parameters"] = restore(declared.parameters)
    elif declared.parameters_json_schema:
        function["parameters"] = declared.parameters_json_schema
    return {"type": "function", "function": function}
