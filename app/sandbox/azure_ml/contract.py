"""Microsoft's published documents, and what its servers take beside their letter."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.sandbox.frame.contract import Contract
from app.sandbox.frame.exchange import Asked, Reply
from app.sandbox.frame.operations import Operation

_BOOLEANS = {"true": True, "false": False}
"""As they stand in a query."""


class AzureMLContract(Contract):
    """Several documents as one; operations that are in none are not judged."""

    def __init__(self, documents: Iterable[dict[str, Any]]) -> None:
        merged: dict[str, Any] = {"paths": {}, "components": {"schemas": {}}}
        for document in documents:
            merged["paths"] |= document["paths"]
            merged["components"]["schemas"] |= document["components"]["schemas"]
        self._paths = merged["paths"]
        super().__init__(merged)

    @classmethod
    def read_all(cls, folder: Path) -> "AzureMLContract":
        """The documents of a folder."""
        paths = sorted(folder.glob("azure.ml.*.openapi.json"))
        return cls(json.loads(path.read_text()) for path in paths)

    def of_request(self, operation: Operation, asked: Asked) -> list[str]:
        """What the documents say against a request; enums compare without regard to case."""
        if not self._knows(operation):
            return []
        query = {name: _BOOLEANS.get(value, value) for name, value in asked.query.items()}
        return super().of_request(operation, replace(asked, query=query, body=_spelled(asked.body)))

    def of_reply(self, operation: Operation, reply: Reply, answer: Any) -> list[str]:
        """The same for an answer."""
        return super().of_reply(operation, reply, answer) if self._knows(operation) else []

    def _knows(self, operation: Operation) -> bool:
        return operation.method.lower() in self._paths.get(operation.path, {})


def _spelled(body: Any) -> Any:
    details = ((body or {}).get("properties") or {}).get("fineTuningDetails")
    if details is None:
        return body
    task = str(details["taskType"])
    spelled = details | {"taskType": task[:1].upper() + task[1:]}
    return body | {"properties": body["properties"] | {"fineTuningDetails": spelled}}
