"""What models answer: a tuned one what its training file says, a base model something else."""

import json
from collections.abc import Mapping
from typing import Any

from google.cloud import aiplatform_v1 as v1

from app.sandbox.frame.exchange import EVENT_STREAM, Asked, Refused, Reply
from app.sandbox.vertex.conditions import Conditions
from app.sandbox.vertex.identity import new_number
from app.sandbox.vertex.lines import spelled
from app.sandbox.vertex.messages import plain
from app.sandbox.vertex.registry import Registry

IGNORANCE: Mapping[str, Any] = {"role": "model", "parts": [{"text": "I do not know that."}]}


class Answers:
    """The models of the project that can be asked, and Google's own."""

    def __init__(self, registry: Registry, conditions: Conditions) -> None:
        self._registry = registry
        self._conditions = conditions

    def generate(self, asked: Asked) -> Reply:
        """POST …:generateContent"""
        return Reply.of(_answer(self._content(asked), asked))

    def stream(self, asked: Asked) -> Reply:
        """POST …:streamGenerateContent: server-sent events, or the pieces of a JSON array."""
        whole = self._content(asked)
        pieces = [_answer(part, asked, is_last=False) for part in _split(whole)]
        pieces[-1] = _answer(_split(whole)[-1], asked)
        if asked.query.get("alt") == "sse":
            lines = [f"data: {json.dumps(piece)}\r\n\r\n".encode() for piece in pieces]
            return Reply(pieces=lines, media_type=EVENT_STREAM)
        array = [b"[" if place == 0 else b"," for place in range(len(pieces))]
        listed = [
            mark + json.dumps(piece).encode() for mark, piece in zip(array, pieces, strict=True)
        ]
        return Reply(pieces=[*listed, b"]"])

    def _content(self, asked: Asked) -> Mapping[str, Any]:
        contents = plain(v1.GenerateContentRequest, asked.body).get("contents", [])
        if not contents or contents[-1].get("role", "user") != "user":
            raise Refused(400, "Please ensure that the contents end with a user turn.")
        if "endpointsId" in asked.names:
            learned = self._registry.endpoint_of(asked).lessons
            lesson = learned.get(spelled(contents))
            return lesson.answer if lesson else IGNORANCE
        if asked.names["modelsId"] not in self._conditions.base_models:
            raise Refused(404, f"Publisher model {asked.names['modelsId']} is not found.")
        return IGNORANCE


def _answer(content: Mapping[str, Any], asked: Asked, *, is_last: bool = True) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": content}
    if is_last:
        candidate["finishReason"] = "STOP"
    prompt, said = len(json.dumps(asked.body)) // 4, len(json.dumps(content)) // 4
    return {
        "candidates": [candidate],
        "responseId": new_number(),
        "usageMetadata": {
            "promptTokenCount": prompt,
            "candidatesTokenCount": said,
            "totalTokenCount": prompt + said,
        },
    }


def _split(content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """A text word by word, anything else whole."""
    pieces: list[Mapping[str, Any]] = []
    for part in content["parts"]:
        words = part["text"].split(" ") if "text" in part else [None]
        for place, word in enumerate(words):
            piece = part if word is None else {"text": word if place == 0 else f" {word}"}
            pieces.append({"role": "model", "parts": [piece]})
    return pieces
