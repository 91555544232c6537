"""Messages to token ids, in one place, so that training sees just what serving sends."""

import contextlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

Message = Mapping[str, Any]
Tool = Mapping[str, Any]

# For base models without a template of their own. It is written into the tuned model's
# tokenizer, so that serving uses it too. End-of-sequence closes the assistant's turn.
FALLBACK_TEMPLATE = (
    "{% for message in messages %}"
    "{{ message.role | capitalize }}: {{ message.content }}"
    "{% if message.role == 'assistant' %}{{ eos_token }}{% endif %}{{ '\\n\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)


class Unrenderable(ValueError):
    """The chat template refuses the messages, or there is no assistant turn to train on."""


class RenderedExample(msgspec.Struct, frozen=True):
    """One chat as token ids, with 1 in `loss_mask` where a token is to be learned."""

    input_ids: list[int]
    loss_mask: list[int]
    truncated: bool = False
    """The beginning was cut off to keep within the length; the completion stands at the end."""
    last_turn_only: bool = False
    """The template rewrites earlier turns, so only the last one was made to be learned."""


class RenderedPreference(msgspec.Struct, frozen=True):
    """One prompt with its preferred and its rejected completion as token ids."""

    prompt_ids: list[int]
    chosen_ids: list[int]
    rejected_ids: list[int]
    truncated: bool = False


def ensure_template(tokenizer: Any) -> bool:
    """Give a tokenizer without a chat template the fallback; True when it had none."""
    if tokenizer.chat_template:
        return False
    tokenizer.chat_template = FALLBACK_TEMPLATE
    return True


def render_prompt(
    tokenizer: Any, messages: Sequence[Message], tools: Sequence[Tool] | None = None
) -> list[int]:
    """What serving sends to the model: the messages, ending where the assistant's answer begins.

    Control tokens that stand in a message's text are encoded as text: no user can forge a turn.
    """
    return _tokens(tokenizer, messages, tools, prompt=True)


def render_example(
    tokenizer: Any,
    messages: Sequence[Message],
    tools: Sequence[Tool] | None = None,
    max_length: int | None = None,
) -> RenderedExample:
    """A chat with the loss on each assistant turn whose weight is not 0.

    Every learned turn stands after the very tokens that `render_prompt` gives for the messages
    before it. Where a template rewrites history (so that a later prompt does not begin with an
    earlier one), only the last turn is learned. Raises Unrenderable.
    """
    turns = [index for index, message in enumerate(messages) if _is_learned(message)]
    if not turns:
        raise Unrenderable("No assistant turn of the example has a weight other than 0.")
    whole = _all_turns(tokenizer, messages, tools, turns)
    if whole is None:
        prompt, answer = _one_turn(tokenizer, messages, tools, turns[-1])
        ids, mask = prompt + answer, [0] * len(prompt) + [1] * len(answer)
    else:
        ids, mask = whole
    start = max(0, len(ids) - (max_length or len(ids)))
    return RenderedExample(ids[start:], mask[start:], start > 0, whole is None)


def render_preference(
    tokenizer: Any,
    prompt: Sequence[Message],
    *,
    chosen: Sequence[Message],
    rejected: Sequence[Message],
    tools: Sequence[Tool] | None = None,
    max_length: int | None = None,
) -> RenderedPreference:
    """A preference pair; too long a one loses the prompt's front, then the completions' end."""
    prompt_ids = render_prompt(tokenizer, prompt, tools)
    answers = [
        _completion(tokenizer, prompt, answer, tools=tools, prompt_ids=prompt_ids)
        for answer in (chosen, rejected)
    ]
    longest = max(map(len, answers))
    limit = max_length or len(prompt_ids) + longest
    kept_prompt = prompt_ids[-max(1, limit - longest) :]
    kept_answers = [answer[: limit - len(kept_prompt)] for answer in answers]
    truncated = len(prompt_ids) + longest > limit
    return RenderedPreference(kept_prompt, kept_answers[0], kept_answers[1], truncated)


def _is_learned(message: Message) -> bool:
    return message["role"] == "assistant" and message.get("weight", 1) != 0


def _all_turns(
    tokenizer: Any, messages: Sequence[Message], tools: Sequence[Tool] | None, turns: list[int]
) -> tuple[list[int], list[int]] | None:
    """All learned turns in one sequence, or None when a later prompt changes an earlier turn."""
    ids: list[int] = []
    mask: list[int] = []
    for turn in turns:
        prompt, answer = _one_turn(tokenizer, messages, tools, turn)
        if prompt[: len(ids)] != ids:
            return None
        mask += [0] * (len(prompt) - len(ids)) + [1] * len(answer)
        ids = prompt + answer
    return ids, mask


def _one_turn(
    tokenizer: Any, messages: Sequence[Message], tools: Sequence[Tool] | None, turn: int
) -> tuple[list[int], list[int]]:
    """The prompt before a turn and the turn itself, as token ids."""
    before, answer = messages[:turn], messages[turn : turn + 1]
    prompt = render_prompt(tokenizer, before, tools)
    return prompt, _completion(tokenizer, before, answer, tools=tools, prompt_ids=prompt)


def _completion(
    tokenizer: Any,
    prompt: Sequence[Message],
    answer: Sequence[Message],
    *,
    tools: Sequence[Tool] | None,
    prompt_ids: list[int],
) -> list[int]:
    """The tokens that the model should produce after the prompt, its stop token last."""
    whole_ids = _tokens(tokenizer, [*prompt, *answer], tools, prompt=False)
    if whole_ids[: len(prompt_ids)] == prompt_ids:
        return _closed(tokenizer, whole_ids[len(prompt_ids) :])
    # Tokens merge across the border, or the template opens an answer in other words than it
    # keeps one: cut the text instead, where the two part.
    prompt_text = _text(tokenizer, prompt, tools, prompt=True)
    whole_text = _text(tokenizer, [*prompt, *answer], tools, prompt=False)
    shared = _common_length(prompt_text, whole_text)
    if shared < len(_text(tokenizer, prompt, tools, prompt=False)):
        raise Unrenderable("The chat template renders the prompt in another way once answered.")
    return _closed(tokenizer, _encode(tokenizer, whole_text[shared:]))


def _closed(tokenizer: Any, ids: list[int]) -> list[int]:
    """Without what the template writes after the stop token; with one where it writes none."""
    special = set(tokenizer.all_special_ids)
    for index in range(len(ids) - 1, -1, -1):
        if ids[index] in special:
            return ids[: index + 1]
        if tokenizer.decode([ids[index]]).strip():
            break
    return [*ids, tokenizer.eos_token_id] if tokenizer.eos_token_id is not None else ids


def _tokens(
    tokenizer: Any, messages: Sequence[Message], tools: Sequence[Tool] | None, *, prompt: bool
) -> list[int]:
    return list(
        _apply(
            tokenizer,
            messages,
            tools,
            add_generation_prompt=prompt,
            tokenize=True,
            return_dict=False,
            sanitize_control_tokens=True,
        )
    )


def _text(
    tokenizer: Any, messages: Sequence[Message], tools: Sequence[Tool] | None, *, prompt: bool
) -> str:
    return str(_apply(tokenizer, messages, tools, add_generation_prompt=prompt, tokenize=False))


def _apply(
    tokenizer: Any, messages: Sequence[Message], tools: Sequence[Tool] | None, **options: Any
) -> Any:
    try:
        return tokenizer.apply_chat_template(
            [_for_template(message) for message in messages], tools=tools or None, **options
        )
    except Exception as error:
        raise Unrenderable(f"The chat template refuses the messages: {error}") from error


def _for_template(message: Message) -> dict[str, Any]:
    """The message as templates expect it: text never null, a call's arguments as an object."""
    plain = {key: value for key, value in message.items() if key != "weight" and value is not None}
    plain["content"] = message.get("content") or ""
    if plain.get("tool_calls"):
        plain["tool_calls"] = [_with_parsed_arguments(call) for call in plain["tool_calls"]]
    return plain


def _with_parsed_arguments(call: Mapping[str, Any]) -> dict[str, Any]:
    function = dict(call["function"])
    if isinstance(function.get("arguments"), str):
        # A model's broken call stays in the conversation as it was.
        with contextlib.suppress(ValueError):
            function["arguments"] = json.loads(function["arguments"])
    return {**call, "function": function}


def _encode(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def _common_length(left: str, right: str) -> int:
    for index, (one, other) in enumerate(zip(left, right, strict=False)):
        if one != other:
            return index
    return min(len(left), len(right))
