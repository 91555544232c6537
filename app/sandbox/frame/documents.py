"""A contract that its vendor has published in several documents."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, Self

from app.sandbox.frame.contract import Contract
from app.sandbox.frame.exchange import Asked, Reply
from app.sandbox.frame.operations import Operation


class Documents(Contract):
    """Several documents as one; operations that are in none are not judged.

    `files` is the pattern of the documents' names. A vendor whose servers take more than the
    letter of its documents spells requests and answers their way first.
    """

    files: ClassVar[str]

    def __init__(self, documents: Iterable[dict[str, Any]]) -> None:
        merged: dict[str, Any] = {"paths": {}, "components": {"schemas": {}}}
        for document in documents:
            merged["paths"] |= document["paths"]
            merged["components"]["schemas"] |= document["components"]["schemas"]
        super().__init__(merged)

    @classmethod
    def read_all(cls, folder: Path) -> Self:
        """The documents of a folder."""
        return cls(json.loads(path.read_text()) for path in sorted(folder.glob(cls.files)))

    def of_request(self, operation: Operation, asked: Asked) -> list[str]:
        """What the documents say against a request."""
        if self._describe(operation) is None:
            return []
        return super().of_request(operation, self._spelled_request(operation, asked))

    def of_reply(self, operation: Operation, reply: Reply, answer: Any) -> list[str]:
        """The same for an answer."""
        if self._describe(operation) is None:
            return []
        return super().of_reply(operation, reply, self._spelled_answer(operation, answer))

    def _spelled_request(self, _operation: Operation, asked: Asked) -> Asked:
        return asked

    def _spelled_answer(self, _operation: Operation, answer: Any) -> Any:
        return answer
