"""A process that renders examples as a training would, and tells what came of each.

Started by `compiling`: one JSON list of canonical examples a line comes in, one JSON list of
`Measured` goes out. The first line out says whether the base model's tokenizer could be loaded.
"""

import sys
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from app.providers.local.records import Measured, Ready
from app.providers.local.rendering import Unrenderable, render_example, render_preference


def main(model: str, method: str, max_length: int) -> None:
    """Answer until the input ends."""
    # Tokenizers need no tensors, and loading PyTorch would take most of the time and memory.
    sys.modules["torch"] = None  # pyright: ignore[reportArgumentType]
    from app.providers.local.tokenizer import load_tokenizer

    try:
        tokenizer = load_tokenizer(model)
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent has to hear of it
        _tell(Ready(error=f"{error}"[:500]))
        return
    _tell(Ready())
    measure = _preference if method == "dpo" else _chat
    control = sorted(set(tokenizer.all_special_tokens), key=len, reverse=True)
    for line in sys.stdin.buffer:
        examples: list[dict[str, Any]] = msgspec.json.decode(line)
        _tell([_measured(tokenizer, one, max_length, measure, control) for one in examples])


def _tell(answer: Any) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
    sys.stdout.buffer.flush()


def _measured(
    tokenizer: Any,
    example: dict[str, Any],
    max_length: int,
    measure: Callable[[Any, dict[str, Any], int], Measured],
    control: list[str],
) -> Measured:
    try:
        measured = measure(tokenizer, example, max_length)
    except Unrenderable as error:
        return Measured(tokens=0, error=str(error))
    texts = list(_texts(example))
    found = [token for token in control if any(token in text for text in texts)]
    return msgspec.structs.replace(measured, control_tokens=found)


def _chat(tokenizer: Any, example: dict[str, Any], max_length: int) -> Measured:
    tools = example.get("tools")
    whole = render_example(tokenizer, example["messages"], tools)
    length = len(whole.input_ids)
    return Measured(
        tokens=min(length, max_length), length=length, last_turn_only=whole.last_turn_only
    )


def _preference(tokenizer: Any, example: dict[str, Any], max_length: int) -> Measured:
    whole = render_preference(
        tokenizer,
        example["prompt"],
        chosen=example["chosen"],
        rejected=example["rejected"],
        tools=example.get("tools"),
    )
    sides = [len(whole.prompt_ids) + len(ids) for ids in (whole.chosen_ids, whole.rejected_ids)]
    # Both answers go through the model, each after the prompt.
    return Measured(tokens=sum(min(side, max_length) for side in sides), length=max(sides))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
