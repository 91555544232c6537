"""Microsoft's published documents, and what its servers take beside their letter."""

from dataclasses import replace
from typing import Any

from app.sandbox.azure_ml.job import spelled
from app.sandbox.frame.documents import Documents
from app.sandbox.frame.exchange import Asked
from app.sandbox.frame.operations import Operation

_BOOLEANS = {"true": True, "false": False}
"""As they stand in a query."""


class AzureMLContract(Documents):
    """The documents of Azure ML; enums of a request compare without regard to case."""

    files = "azure.ml.*.openapi.json"

    def _spelled_request(self, _operation: Operation, asked: Asked) -> Asked:
        query = {name: _BOOLEANS.get(value, value) for name, value in asked.query.items()}
        return replace(asked, query=query, body=_spelled(asked.body))


def _spelled(body: Any) -> Any:
    given = (body or {}).get("properties")
    return body | {"properties": spelled(given)} if given else body
