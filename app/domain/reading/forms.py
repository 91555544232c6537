"""Rows in every accepted form, each recognised by its keys and read as an example."""

from typing import Any, TypeVar

import msgspec

from app.domain.examples import (
    ChatExample,
    Example,
    Message,
    PreferenceExample,
    RowInvalid,
    check_example,
)
from app.domain.reading.columns import Columns
from app.domain.reading.faulty import NUMBER_TOO_LARGE, too_deep, why_not_json
from app.domain.reading.legacy import may_be_legacy, with_tool_calls
from app.domain.reading.sharegpt import read_sharegpt

_any = msgspec.json.Decoder()
_chat = msgspec.json.Decoder(ChatExample)

Form = TypeVar("Form")


class PromptCompletionRow(msgspec.Struct, forbid_unknown_fields=True):
    """The shortest form of a chat example."""

    prompt: str
    completion: str
    system: str | None = None


class ConversationalRow(msgspec.Struct, forbid_unknown_fields=True):
    """TRL's form of the same for conversations: only the completion is learned from."""

    prompt: list[Message]
    completion: list[Message]
    tools: list[dict[str, Any]] | None = None
    parallel_tool_calls: bool | None = None


class InstructionRow(msgspec.Struct, forbid_unknown_fields=True):
    """Alpaca's form; `input` is what the instruction is about, `history` the turns before it."""

    instruction: str
    output: str
    input: str | None = None
    system: str | None = None
    history: list[tuple[str, str]] | None = None


class PlainPreferenceRow(msgspec.Struct, forbid_unknown_fields=True):
    """A preference in plain strings."""

    prompt: str
    chosen: str
    rejected: str
    system: str | None = None


class PreferenceInput(msgspec.Struct, forbid_unknown_fields=True):
    """What both answers of OpenAI's preference form reply to."""

    messages: list[Message]
    tools: list[dict[str, Any]] | None = None
    parallel_tool_calls: bool | None = None


class OpenAIPreferenceRow(msgspec.Struct, forbid_unknown_fields=True):
    """OpenAI's preference form; its guides say `_output` and its schemas also `_completion`."""

    input: PreferenceInput
    preferred_output: list[Message] | None = None
    non_preferred_output: list[Message] | None = None
    preferred_completion: list[Message] | None = None
    non_preferred_completion: list[Message] | None = None


_NO_COLUMNS = Columns()


def decode_row(line: bytes, columns: Columns = _NO_COLUMNS) -> tuple[str, Example]:
    """One row as JSON in whichever form it comes, as (form, canonical example).

    Raises `RowInvalid`.
    """
    try:
        form, example = _decode(line, columns)
    except msgspec.ValidationError as error:
        raise _misshapen(error) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise why_not_json(line, error) from error
    except RecursionError as error:
        raise too_deep() from error
    check_example(example)
    return form, example


def _decode(line: bytes, columns: Columns) -> tuple[str, Example]:
    is_chat = not columns and line.startswith((b'{"messages":', b'{"messages" :'))
    if is_chat and not may_be_legacy(line):
        return "chat", _chat.decode(line)
    row = _any.decode(line)
    if not isinstance(row, dict):
        raise RowInvalid("row_not_object", 'A row must be a JSON object, such as {"prompt": ...}.')
    named: dict[str, Any] = columns.rename(row) if columns else row
    form = _recognise(named)
    return form, _READERS[form](named)


def _recognise(row: dict[str, Any]) -> str:
    keys = row.keys()
    if "messages" in keys:
        return "chat"
    if any(key in keys for key in ("preferred_output", "preferred_completion")):
        return "openai_preference"
    if "conversations" in keys:
        return "sharegpt"
    if "chosen" in keys and "rejected" in keys:
        return "preference" if isinstance(row["chosen"], list) else "plain_preference"
    if "instruction" in keys:
        return "instruction"
    if "prompt" in keys or "completion" in keys:
        is_text = not isinstance(row.get("completion"), list)
        return "prompt_completion" if is_text else "conversational_prompt_completion"
    raise RowInvalid(
        "row_keys",
        "A row needs `messages`, `prompt` with `completion`, `instruction` with `output`, "
        "`conversations`, or `prompt` with `chosen` and `rejected`; this one has "
        f"{_name(set(keys))}. Say what odd names mean with `columns`.",
    )


def _read_chat(row: dict[str, Any]) -> Example:
    return _convert(with_tool_calls(row), ChatExample)


def _read_prompt_completion(row: dict[str, Any]) -> Example:
    pair = _convert(row, PromptCompletionRow)
    return ChatExample([*_opening(pair.system, pair.prompt), Message("assistant", pair.completion)])


def _read_conversational(row: dict[str, Any]) -> Example:
    pair = _convert(row, ConversationalRow)
    for message in pair.prompt:
        if message.role == "assistant" and message.weight is None:
            message.weight = 0
    return ChatExample([*pair.prompt, *pair.completion], pair.tools, pair.parallel_tool_calls)


def _read_instruction(row: dict[str, Any]) -> Example:
    task = _convert(row, InstructionRow)
    messages = [] if task.system is None else [Message("system", task.system)]
    asked = f"{task.instruction}\n\n{task.input}" if task.input else task.instruction
    for question, answer in [*(task.history or ()), (asked, task.output)]:
        messages += Message("user", question), Message("assistant", answer)
    return ChatExample(messages)


def _read_plain_preference(row: dict[str, Any]) -> Example:
    plain = _convert(row, PlainPreferenceRow)
    return PreferenceExample(
        prompt=_opening(plain.system, plain.prompt),
        chosen=[Message("assistant", plain.chosen)],
        rejected=[Message("assistant", plain.rejected)],
    )


def _read_preference(row: dict[str, Any]) -> Example:
    return _convert(row, PreferenceExample)


def _read_openai_preference(row: dict[str, Any]) -> Example:
    pair = _convert(row, OpenAIPreferenceRow)
    return PreferenceExample(
        prompt=pair.input.messages,
        chosen=_only("preferred", pair.preferred_output, pair.preferred_completion),
        rejected=_only("non_preferred", pair.non_preferred_output, pair.non_preferred_completion),
        tools=pair.input.tools,
        parallel_tool_calls=pair.input.parallel_tool_calls,
    )


_READERS = {
    "chat": _read_chat,
    "prompt_completion": _read_prompt_completion,
    "conversational_prompt_completion": _read_conversational,
    "instruction": _read_instruction,
    "sharegpt": read_sharegpt,
    "plain_preference": _read_plain_preference,
    "preference": _read_preference,
    "openai_preference": _read_openai_preference,
}


def _only(
    name: str, output: list[Message] | None, completion: list[Message] | None
) -> list[Message]:
    if (output is None) == (completion is None):
        raise RowInvalid(
            "row_shape", f"The row needs one of `{name}_output` and `{name}_completion`."
        )
    return output if output is not None else completion or []


def _opening(system: str | None, prompt: str) -> list[Message]:
    user = Message("user", prompt)
    return [user] if system is None else [Message("system", system), user]


def _convert(row: Any, form: type[Form]) -> Form:
    return msgspec.convert(row, form)


def _name(keys: set[str]) -> str:
    return ", ".join(f"`{key[:40]}`" for key in sorted(keys)[:8]) or "no keys"


def _misshapen(error: msgspec.ValidationError) -> RowInvalid:
    said = str(error)
    if said.startswith(NUMBER_TOO_LARGE):
        return RowInvalid("number_out_of_range", f"{said}: no program keeps such a number.")
    return RowInvalid("row_shape", said.replace("Object ", "The row ").rstrip(".") + ".")
