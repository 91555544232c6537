"""What OpenAI asks of a training line beyond its schema.

Sources: the descriptions in the schema, and the guides on supervised fine-tuning, vision
fine-tuning and direct preference optimization at developers.openai.com/api/docs/guides.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, cast

from app.domain.errors import Fault
from app.domain.examples import ChatExample, Message

MOST_IMAGES = 10

_SPECIAL = re.compile(
    rb"<\|(?:im_start|im_end|im_sep|endoftext|endofprompt|fim_prefix|fim_middle|fim_suffix)\|>"
)
_TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_IMAGE_DATA = re.compile(r"data:image/(?:jpe?g|png|webp);base64,", re.IGNORECASE)


def errors(turns: Sequence[Message], line: Any, data: bytes) -> Iterator[Fault]:
    """Why a line of a good shape would be refused all the same."""
    if b"<|" in data and (found := _SPECIAL.findall(data)):
        names = ", ".join(sorted({token.decode() for token in found}))
        yield Fault("special_token", f"The text holds {names}, which is refused. Take it out.")
    yield from _tool_names(line)
    if any(isinstance(message.content, list) for message in turns):
        yield from _parts(turns)


def warnings(turns: Sequence[Message], *, method: str) -> Iterator[Fault]:
    """What would be taken, and deserves a look."""
    called: set[str] = set()
    for message in turns:
        called.update(call.id for call in message.tool_calls or ())
        if message.role == "tool" and message.tool_call_id not in called:
            text = f"No call {message.tool_call_id!r} comes before the tool's result for it."
            yield Fault("tool_result_orphan", text)
        if method == "dpo" and isinstance(message.content, list) and _images(message):
            yield Fault("image_in_preference", "The guide on preferences promises text only.")


def _tool_names(line: Any) -> Iterator[Fault]:
    if isinstance(line, ChatExample):
        tools = line.tools
    else:
        tools = line["input"].tools if "input" in line else line.get("tools")
    for tool in tools or ():
        function = cast("dict[str, Any]", tool.get("function") or {})
        name = function.get("name") if isinstance(function, dict) else None  # pyright: ignore[reportUnnecessaryIsInstance] - whatever a file says
        if isinstance(name, str) and not _TOOL_NAME.fullmatch(name):
            text = f"The tool's name {name[:80]!r} must be 1 to 64 of a-z, A-Z, 0-9, _ and -."
            yield Fault("tool_name", text)


def _parts(turns: Sequence[Message]) -> Iterator[Fault]:
    kinds = {str(part.get("type")) for message in turns for part in _parts_of(message)}
    for kind in sorted(kinds & {"input_audio", "file"}):
        yield Fault("part_not_supported", f"Parts of type {kind} cannot be trained on.")
    images = [url for message in turns for url in _images(message)]
    if len(images) > MOST_IMAGES:
        text = f"The example has {len(images)} images; {MOST_IMAGES} are taken."
        yield Fault("too_many_images", text)
    if any(url.startswith("data:") and not _IMAGE_DATA.match(url) for url in images):
        yield Fault("image_format", "Images must be JPEG, PNG or WEBP.")


def _images(message: Message) -> list[str]:
    images = [part.get("image_url") for part in _parts_of(message)]
    urls = [cast("dict[str, Any]", image).get("url") for image in images if isinstance(image, dict)]
    return [url for url in urls if isinstance(url, str)]


def _parts_of(message: Message) -> Sequence[dict[str, Any]]:
    return message.content if isinstance(message.content, list) else ()
