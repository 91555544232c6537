"""Conversations in Google's form: `systemInstruction` and `contents` with alternating roles.

https://docs.cloud.google.com/vertex-ai/generative-ai/docs/models/gemini-supervised-tuning-prepare
"""

import mimetypes
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import msgspec

from app.domain.examples import Message
from app.providers.vertex.findings import Findings
from app.providers.vertex.tools import call_part, result_part

_SYSTEM = ("system", "developer")

_CONTROL = (
    "<start_of_turn>", "<end_of_turn>", "<bos>", "<eos>", "<pad>",
    "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|fim_prefix|>", "<|fim_suffix|>",
)  # fmt: skip
"""What marks turns for a model of Google's or of others; as text it is learned, and then said."""


class Conversation(msgspec.Struct):
    """Messages in Google's form; what could not be carried is told to the findings."""

    system: list[dict[str, Any]] = []
    contents: list[dict[str, Any]] = []


def conversation(messages: Sequence[Message], findings: Findings) -> Conversation:
    """The messages as Google's contents; a leading system message becomes the instruction."""
    found = Conversation()
    called: dict[str, str] = {}
    for message in messages:
        if message.name and message.role != "tool":
            findings.lose("name_lost")
        if message.role in _SYSTEM:
            _take_system(message, found, findings)
        elif message.role == "tool":
            _take_result(message, found, called, findings)
        else:
            _take_turn(message, found, findings)
        called |= {call.id: call.function.name for call in message.tool_calls or ()}
    if not findings.errors and any(not content["parts"] for content in found.contents):
        findings.refuse("content_empty", "A turn holds nothing; Gemini takes no empty turns.")
    if found.contents and found.contents[0]["role"] != "user":
        findings.refuse("first_turn", "The first turn must be the user's; Gemini answers.")
    return found


def model_turn(messages: Sequence[Message], findings: Findings) -> dict[str, Any]:
    """Answers of the assistant as one turn of the model."""
    parts = [part for message in messages for part in _answer_parts(message, findings)]
    if len(messages) > 1:
        findings.lose("turns_joined")
    return {"role": "model", "parts": parts}


def _take_system(message: Message, found: Conversation, findings: Findings) -> None:
    if found.contents:
        findings.refuse(
            "system_position",
            "A system message stands in the middle; Gemini has one instruction, at the beginning.",
        )
    parts = list(_parts(message.content, findings))
    if any("text" not in part for part in parts):
        findings.refuse("system_text_only", "Gemini's system instruction holds text only.")
    if message.role != "system":
        findings.lose("role_lost")
    if found.system:
        findings.lose("instructions_joined")
    found.system += parts


def _take_result(
    message: Message, found: Conversation, called: Mapping[str, str], findings: Findings
) -> None:
    """Results of calls in one turn belong into one content, as the calls do."""
    name = called.get(message.tool_call_id or "")
    if name is None:
        findings.refuse(
            "tool_call_unknown",
            f"A tool answers {message.tool_call_id!r}, and no earlier turn called that.",
        )
    parts = list(_parts(message.content, findings))
    if any("text" not in part for part in parts):
        findings.refuse("tool_text_only", "A tool's result is sent to Gemini as text only.")
    text = "".join(part.get("text", "") for part in parts)
    _append(found, "user", [result_part(name or "unknown", text)])


def _take_turn(message: Message, found: Conversation, findings: Findings) -> None:
    role = "model" if message.role == "assistant" else "user"
    parts = (
        _answer_parts(message, findings)
        if role == "model"
        else list(_parts(message.content, findings))
    )
    if found.contents and found.contents[-1]["role"] == role:
        findings.lose("turns_joined")
    _append(found, role, parts)


def _append(found: Conversation, role: str, parts: list[dict[str, Any]]) -> None:
    if found.contents and found.contents[-1]["role"] == role:
        found.contents[-1]["parts"] += parts
    else:
        found.contents.append({"role": role, "parts": parts})


def _answer_parts(message: Message, findings: Findings) -> list[dict[str, Any]]:
    if message.weight == 0:
        findings.lose("weight_lost")
    parts = list(_parts(message.content, findings))
    if message.refusal:
        findings.lose("refusal_as_text")
        parts += _parts(message.refusal, findings)
    if message.tool_calls:
        findings.lose("call_ids_lost")
    return [*parts, *(call_part(call, findings) for call in message.tool_calls or ())]


def _parts(
    content: str | list[dict[str, Any]] | None, findings: Findings
) -> Iterator[dict[str, Any]]:
    """Google's parts; an empty text is no part."""
    texts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    for part in texts or ():
        match part:
            case {"type": "text", "text": str(text)}:
                if text:
                    _look_for_control(text, findings)
                    yield {"text": text}
            case {"type": "refusal", "refusal": str(text)}:
                findings.lose("refusal_as_text")
                yield {"text": text}
            case {"type": "image_url", "image_url": {"url": str(url), **rest}}:
                if rest:
                    findings.lose("image_detail_lost")
                yield _file(url, findings)
            case _:
                findings.refuse(
                    "part_unsupported",
                    f"A part of type {part.get('type')!r} is not sent to Gemini; text and images "
                    "in Cloud Storage are.",
                )


def _file(url: str, findings: Findings) -> dict[str, Any]:
    kind = mimetypes.guess_type(url)[0] or ""
    if not url.startswith("gs://"):
        findings.refuse(
            "image_uri", "Gemini is tuned with images in Cloud Storage: give a gs:// address."
        )
    elif not kind.startswith("image/"):
        findings.refuse(
            "image_type", "The image's address must end as its type does, .png or .jpg for one."
        )
    return {"fileData": {"mimeType": kind, "fileUri": url}}


def _look_for_control(text: str, findings: Findings) -> None:
    if "<" not in text:
        return
    found = [token for token in _CONTROL if token in text]
    if found:
        findings.warn(
            "control_token_in_text",
            f"The text holds {', '.join(found)}, which models use to mark turns. It is learned as "
            "text; take it out unless users will write it.",
        )


def texts_only(contents: Sequence[Mapping[str, Any]]) -> bool:
    """Whether no part is anything but text."""
    parts = [part for content in contents for part in cast("list[Any]", content["parts"])]
    return all(part.keys() == {"text"} for part in parts)
