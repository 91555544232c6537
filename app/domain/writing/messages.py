"""Forms whose turns are OpenAI's messages, so that they can carry nearly everything."""

import msgspec

from app.domain.examples import ChatExample, Example, Message, PreferenceExample
from app.domain.writing.losses import Loss, Row


def write_canonical(example: Example, losses: list[Loss]) -> Row:
    """The form that is kept."""
    return {
        name: value for name, value in msgspec.structs.asdict(example).items() if value is not None
    }


def write_openai_preference(example: PreferenceExample, losses: list[Loss]) -> Row:
    """OpenAI's names; nothing is lost."""
    options = {"tools": example.tools, "parallel_tool_calls": example.parallel_tool_calls}
    given = {name: value for name, value in options.items() if value is not None}
    return {
        "input": {"messages": example.prompt} | given,
        "preferred_output": example.chosen,
        "non_preferred_output": example.rejected,
    }


def write_conversational(example: ChatExample, losses: list[Loss]) -> Row:
    """TRL's form: the last answer is the completion, the only one that is learned from."""
    row = write_canonical(example, losses)
    *before, last = row.pop("messages")
    prompt = [
        _unlearned(message, f"messages[{number}]", losses) for number, message in enumerate(before)
    ]
    if last.weight == 0:
        losses.append(
            Loss("weight_lost", f"`messages[{len(before)}].weight` is 0, but it is learned from.")
        )
        last = msgspec.structs.replace(last, weight=None)
    return {"prompt": prompt, "completion": [last]} | row


def _unlearned(message: Message, where: str, losses: list[Loss]) -> Message:
    if message.role != "assistant":
        return message
    if message.weight != 0:
        losses.append(
            Loss("weight_lost", f"`{where}` is not learned from: only the last answer is.")
        )
    return msgspec.structs.replace(message, weight=None)
