"""Forms in which a turn is a text and nothing else: who speaks follows from the place."""

from collections.abc import Sequence

from app.domain.examples import ChatExample, Message, PreferenceExample
from app.domain.writing.losses import (
    Loss,
    Row,
    RowLost,
    options_lost,
    refuse_equal,
    role_lost,
    text_of,
)

_BY_TURNS = ("user", "assistant")


def write_prompt_completion(example: ChatExample, losses: list[Loss]) -> Row:
    """One question and one answer; an example with more turns raises `RowLost`."""
    row, texts = _take_apart(example.messages, "messages", losses)
    if len(texts) != 2:
        raise RowLost(
            "turns_lost", f"The form has one question and one answer, and here are {len(texts)}."
        )
    losses += options_lost(example)
    return row | {"prompt": texts[0], "completion": texts[1]}


def write_instruction(example: ChatExample, losses: list[Loss]) -> Row:
    """Alpaca's form: the last question is the instruction, turns before it are `history`.

    Nothing tells an instruction from what it is about, so that `input` is empty.
    """
    row, texts = _take_apart(example.messages, "messages", losses)
    *before, instruction, output = texts
    losses += options_lost(example)
    row |= {"instruction": instruction, "input": "", "output": output}
    if before:
        row["history"] = list(zip(before[::2], before[1::2], strict=True))
    return row


def write_plain_preference(example: PreferenceExample, losses: list[Loss]) -> Row:
    """One question and two answers, each a text."""
    row, texts = _take_apart(example.prompt, "prompt", losses)
    if len(texts) != 1:
        raise RowLost("turns_lost", f"The form has one question, and `prompt` has {len(texts)}.")
    chosen = _answer(example.chosen, "chosen", losses)
    rejected = _answer(example.rejected, "rejected", losses)
    refuse_equal(chosen, rejected)
    losses += options_lost(example)
    return row | {"prompt": texts[0], "chosen": chosen, "rejected": rejected}


def _take_apart(
    messages: Sequence[Message], where: str, losses: list[Loss]
) -> tuple[Row, list[str]]:
    """A row with the system prompt, where there is one, and the texts of user and assistant."""
    texts = [
        text_of(message, f"{where}[{number}]", losses) for number, message in enumerate(messages)
    ]
    roles = [message.role for message in messages]
    row: Row = {}
    if roles[0] in ("system", "developer"):
        row["system"] = texts.pop(0)
        if roles.pop(0) == "developer":
            losses.append(role_lost(f"{where}[0]"))
    is_odd = where == "messages" and len(roles) % 2 == 1
    if is_odd or any(role != _BY_TURNS[number % 2] for number, role in enumerate(roles)):
        raise RowLost("turns_lost", f"`{where}`: user and assistant do not speak by turns.")
    return row, texts


def _answer(messages: Sequence[Message], where: str, losses: list[Loss]) -> str:
    if len(messages) != 1:
        raise RowLost("turns_lost", f"The form has one answer, and `{where}` has {len(messages)}.")
    return text_of(messages[0], f"{where}[0]", losses)
