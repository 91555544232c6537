"""The published documents of Azure's surfaces, as one contract."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from app.sandbox.azure_openai.operations import ARM, DATED, V1
from app.sandbox.frame.contract import Contract
from app.sandbox.frame.exchange import Asked, Reply
from app.sandbox.frame.operations import Operation

_NAMES = {
    "{file_id}": "{file-id}",
    "{fine_tuning_job_id}": "{fine-tuning-job-id}",
    "{model}": "{model-id}",
    "{deployment}": "{deployment-id}",
}


class AzureContract:
    """Each operation against the document of its surface.

    That of the v1 surface is OpenAI's with Azure's differences applied by hand: no official file.
    Answers to questions are left to the SDK's types, for the document's nulls were lost in it.
    """

    def __init__(self, folder: Path) -> None:
        self._v1 = Contract.read(folder / "azure.openai.v1.overlay.openapi.json")
        self._authoring = Contract.read(folder / "azure.openai.authoring.2024-10-21.openapi.json")
        self._asking = Contract.read(folder / "azure.openai.inference.2024-10-21.openapi.json")
        self._arm = Contract.read(
            folder / "azure.arm.cognitiveservices.deployments.2024-10-01.openapi.json"
        )

    def of_request(self, operation: Operation, asked: Asked) -> list[str]:
        """What the document says against a request."""
        contract, known = self._of(operation)
        return contract.of_request(known, asked)

    def of_reply(self, operation: Operation, reply: Reply, answer: Any) -> list[str]:
        """What the document says against an answer."""
        contract, known = self._of(operation)
        return [] if contract is self._asking else contract.of_reply(known, reply, answer)

    def _of(self, operation: Operation) -> tuple[Contract, Operation]:
        path = operation.path
        if path.startswith(ARM):
            return self._arm, operation
        if path.startswith(V1):
            return self._v1, replace(operation, path=path.removeprefix(V1))
        for ours, theirs in _NAMES.items():
            path = path.replace(ours, theirs)
        contract = self._asking if "/deployments/" in path else self._authoring
        return contract, replace(operation, path=path.removeprefix(DATED))
