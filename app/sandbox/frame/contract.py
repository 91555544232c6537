"""Requests and answers against a vendor's published OpenAPI document."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from app.sandbox.frame.exchange import JSON, Asked, Reply
from app.sandbox.frame.operations import Operation

_NAME = "urn:contract"


class Contract:
    """One OpenAPI 3.1 document; its paths are those of the operations."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        resource = Resource(contents=document, specification=DRAFT202012)
        self._registry: Registry[Any] = Registry[Any]().with_resource(_NAME, resource).crawl()

    @classmethod
    def read(cls, path: Path) -> "Contract":
        """The document of a file."""
        return cls(json.loads(path.read_text()))

    def of_request(self, operation: Operation, asked: Asked) -> list[str]:
        """What the document says against a request."""
        described = self._describe(operation)
        if described is None:
            return [f"{operation.method} {operation.path} is in no contract"]
        return [
            *self._of_query(described, asked.query),
            *self._of_body(operation, described, asked),
        ]

    def of_reply(self, operation: Operation, reply: Reply, answer: Any) -> list[str]:
        """What the document says against a JSON answer, or against one of a stream."""
        described = self._describe(operation) or {}
        content = described.get("responses", {}).get(str(reply.status), {}).get("content", {})
        if reply.media_type not in content:
            return [f"{reply.status} {reply.media_type}: not declared"]
        where = (*_place(operation), "responses", str(reply.status), "content", reply.media_type)
        return list(self._errors((*where, "schema"), answer))

    def _describe(self, operation: Operation) -> Mapping[str, Any] | None:
        return self._document["paths"].get(operation.path, {}).get(operation.method.lower())

    def _of_query(self, described: Mapping[str, Any], query: Mapping[str, Any]) -> Iterator[str]:
        parameters = {
            parameter["name"]: parameter
            for parameter in described.get("parameters", [])
            if parameter["in"] == "query"
        }
        for name, value in query.items():
            if name not in parameters:
                yield f"query {name}: not declared"
                continue
            validator = Draft202012Validator(parameters[name].get("schema", {}))
            if not validator.is_valid(value):
                for error in validator.iter_errors(_plain(value)):
                    yield f"query {name}: {error.message}"

    def _of_body(
        self, operation: Operation, described: Mapping[str, Any], asked: Asked
    ) -> Iterator[str]:
        content = described.get("requestBody", {}).get("content", {})
        if not content:
            if asked.body is not None:
                yield "body: not declared"
            return
        media_type = asked.headers.get("content-type", "").partition(";")[0]
        if media_type not in content:
            yield f"body: {media_type or 'nothing'} is not one of {', '.join(content)}"
            return
        # Whatever stands in a form is text on the wire.
        body = asked.body if media_type == JSON else _plain(asked.body)
        where = (*_place(operation), "requestBody", "content", media_type, "schema")
        yield from self._errors(where, body)

    def _errors(self, where: tuple[str, ...], value: Any) -> Iterator[str]:
        pointer = "/".join(quote(part.replace("~", "~0").replace("/", "~1")) for part in where)
        validator = Draft202012Validator({"$ref": f"{_NAME}#/{pointer}"}, registry=self._registry)
        for error in validator.iter_errors(value):
            yield f"{error.json_path}: {error.message[:300]}"


def _place(operation: Operation) -> tuple[str, ...]:
    return ("paths", operation.path, operation.method.lower())


def _plain(value: Any) -> Any:
    """What text in a query or a form stands for: a number, or itself."""
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    return int(value) if isinstance(value, str) and value.isdigit() else value
