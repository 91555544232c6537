"""Google's published documents, and the spellings that its servers take beside them."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from google.cloud import aiplatform_v1 as v1

from app.sandbox.frame.contract import Contract
from app.sandbox.frame.exchange import Asked, Reply
from app.sandbox.frame.operations import Operation
from app.sandbox.vertex.messages import Message, camel, plain
from app.sandbox.vertex.operations import GENERATE, JOBS, STANDARD

_REQUESTS: dict[tuple[str, str], Message] = {
    ("POST", f"/v1{JOBS}"): v1.TuningJob,
    ("POST", f"/v1{GENERATE}"): v1.GenerateContentRequest,
}
_REPLIES: dict[tuple[str, str], Message] = {
    ("POST", f"/v1{JOBS}"): v1.TuningJob,
    ("GET", f"/v1{JOBS}"): v1.ListTuningJobsResponse,
    ("GET", f"/v1{JOBS}/{{tuningJobsId}}"): v1.TuningJob,
}


class GoogleContract(Contract):
    """Several documents as one; operations that are in none are not judged."""

    def __init__(self, documents: Iterable[dict[str, Any]]) -> None:
        merged: dict[str, Any] = {"paths": {}, "components": {"schemas": {}}}
        for document in documents:
            merged["paths"] |= document["paths"]
            merged["components"]["schemas"] |= document["components"]["schemas"]
        self._paths = merged["paths"]
        super().__init__(merged)

    @classmethod
    def read_all(cls, folder: Path) -> "GoogleContract":
        """The documents of a folder."""
        paths = sorted(folder.glob("google.aiplatform.*.openapi.json"))
        return cls(json.loads(path.read_text()) for path in paths)

    def of_request(self, operation: Operation, asked: Asked) -> list[str]:
        """What the documents say against a request, once it is spelled their way."""
        if not self._knows(operation):
            return []
        query = {name: value for name, value in asked.query.items() if name not in STANDARD}
        message = _REQUESTS.get((operation.method, operation.path))
        # What Google's own types do not know was found before.
        body = camel(asked.body)
        if message and asked.body:
            body = plain(message, asked.body, tolerant=True)
        return super().of_request(operation, replace(asked, query=query, body=body))

    def of_reply(self, operation: Operation, reply: Reply, answer: Any) -> list[str]:
        """The same for an answer."""
        # Streams are described as one object; their pieces are checked by Google's own types.
        if not self._knows(operation) or "stream" in operation.path:
            return []
        message = _REPLIES.get((operation.method, operation.path))
        return super().of_reply(
            operation, reply, plain(message, answer, tolerant=True) if message else answer
        )

    def _knows(self, operation: Operation) -> bool:
        return operation.method.lower() in self._paths.get(operation.path, {})
