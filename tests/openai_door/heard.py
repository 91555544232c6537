"""Every answer of the door against OpenAI's published contract, where its document is there."""

import json
import re
from typing import Any

import httpx2
from jsonschema import Draft202012Validator

from app.api.openai.door import PREFIX
from app.sandbox.frame.contract import Contract
from app.sandbox.frame.exchange import DONE, EVENT_STREAM, JSON, Reply
from app.sandbox.frame.operations import Operation
from tests.contracts import CONTRACTS

CONTRACT = CONTRACTS / "openai.openapi.json"


class Heard:
    """What the SDK got, and what the contract says against it."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.visited: set[tuple[str, str]] = set()
        self._document: dict[str, Any] = (
            json.loads(CONTRACT.read_text()) if CONTRACT.exists() else {"paths": {}}
        )
        self._contract = Contract(self._document)

    @property
    def described(self) -> set[tuple[str, str]]:
        """The methods and paths of the contract."""
        return {
            (method, path)
            for path, methods in self._document["paths"].items()
            for method in methods
            if method in ("get", "post", "delete", "put", "patch")
        }

    async def note(self, answer: httpx2.Response) -> None:
        """Judge one answer; a hook of the client's."""
        await answer.aread()
        if self._document["paths"]:
            self.faults += self._judged(answer)

    def _judged(self, answer: httpx2.Response) -> list[str]:
        media_type = answer.headers.get("content-type", "").partition(";")[0]
        if answer.status_code >= 400:
            return self._refusal(answer)
        method = answer.request.method
        path = answer.request.url.raw_path.decode().partition("?")[0].removeprefix(PREFIX)
        operation = Operation(method=method, path=self._template(path), handle=_never)
        self.visited.add((method.lower(), operation.path))
        reply = Reply(pieces=[], status=answer.status_code, media_type=media_type)
        return [
            f"{method} {operation.path}: {fault}"
            for value in _values(answer, media_type)
            for fault in self._contract.of_reply(operation, reply, value)
        ]

    def _refusal(self, answer: httpx2.Response) -> list[str]:
        schema = {"$ref": "#/components/schemas/ErrorResponse"} | self._document
        found = Draft202012Validator(schema).iter_errors(answer.json())
        return [f"{answer.request.url}: {error.message}" for error in found]

    def _template(self, path: str) -> str:
        fits = [
            template
            for template in self._document["paths"]
            if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path)
        ]
        return min(fits, key=lambda one: one.count("{"), default=path)


def _values(answer: httpx2.Response, media_type: str) -> list[Any]:
    if media_type == JSON:
        return [answer.json()]
    if media_type != EVENT_STREAM:
        return []
    lines = [line.removeprefix("data: ") for line in answer.text.splitlines() if line]
    return [_documented(json.loads(line)) for line in lines if line != DONE.decode()]


def _documented(chunk: dict[str, Any]) -> dict[str, Any]:
    """A chunk without what OpenAI sends outside its contract: no usage, said as null."""
    return {name: value for name, value in chunk.items() if (name, value) != ("usage", None)}


def _never(_: object) -> Reply:
    raise NotImplementedError
