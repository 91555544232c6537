"""What Luthier's trainer wrote in its container, as it lies in the workspace's storage."""

from typing import Any

import msgspec

from app.providers.azure_ml.account import Account
from app.providers.azure_ml.container import JOURNAL, OUTCOME
from app.providers.azure_ml.orders import model_folder, run_folder
from app.providers.azure_ml.refusals import looking

_BEYOND_THE_END = 416


class Failure(msgspec.Struct, frozen=True):
    """Why the trainer failed, in its own words."""

    code: str
    message: str
    hint: str | None = None


class Outcome(msgspec.Struct, frozen=True):
    """How the trainer ended; `tokens` counts what was trained on, over all epochs."""

    outcome: str
    error: Failure | None = None
    effective: dict[str, Any] = {}
    versions: dict[str, str] = {}
    tokens: int = 0
    weights_sha256: str | None = None


class Runs:
    """The folders of the trainer's runs."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def journal(self, key: str, offset: int) -> bytes:
        """The journal's whole lines from a byte on; empty where there are none yet."""
        with looking():
            return await self._account.run(self._journal, key, offset)

    async def outcome(self, key: str) -> Outcome | None:
        """How the run ended; None where its container came to no end of its own."""
        with looking():
            data = await self._account.run(self._read, f"{run_folder(key)}/{OUTCOME}")
        return msgspec.json.decode(data, type=Outcome) if data else None

    def remove(self, key: str) -> None:
        """Remove the run's files and the weights that it left."""
        container = self._account.container
        for folder in (run_folder(key), model_folder(key)):
            for name in list(container.list_blob_names(name_starts_with=f"{folder}/")):
                container.delete_blob(name)

    def _journal(self, key: str, offset: int) -> bytes:
        data = self._read(f"{run_folder(key)}/{JOURNAL}", offset)
        return data[: data.rfind(b"\n") + 1]

    def _read(self, path: str, offset: int | None = None) -> bytes:
        from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

        try:
            return self._account.container.download_blob(path, offset).readall()
        except ResourceNotFoundError:
            return b""
        except HttpResponseError as error:
            if error.status_code == _BEYOND_THE_END:
                return b""
            raise
