"""Jobs in the workspace: put under a name of ours, looked at, told to end."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from app.providers.azure_ml.account import Account
from app.providers.azure_ml.refusals import creating, looking, wishing

if TYPE_CHECKING:
    from azure.ai.ml.entities import Job


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A job as Azure shows it; `parameters` are those of a fine-tuning job, None for a command."""

    name: str
    status: str
    url: str | None = None
    parameters: dict[str, str] | None = None
    output: str | None = None
    """The name under which a fine-tuning job registers its model."""


class Jobs:
    """The workspace's jobs."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def put(self, job: "Job") -> Seen:
        """Create it; the same again changes nothing, for its name is in the address."""
        with creating():
            return await self._account.run(self._put, job)

    async def find(self, name: str) -> Seen | None:
        """The job of that name, if there is one."""
        with looking():
            await self._account.open()
            return await self._account.run(self._find, name)

    async def look(self, name: str) -> Seen:
        """The job of that name; `Never` where it is gone."""
        with looking():
            await self._account.open()
            return await self._account.run(self._look, name)

    async def cancel(self, name: str) -> None:
        """Ask for the end; one that has come already is fine."""
        with wishing():
            await self._account.open()
            # Its end is waited for by looking, not by the SDK.
            await self._account.run(self._account.ml.jobs.begin_cancel, name, polling=False)

    def _put(self, job: "Job") -> Seen:
        return _seen(self._account.ml.jobs.create_or_update(job))

    def _find(self, name: str) -> Seen | None:
        from azure.core.exceptions import ResourceNotFoundError

        try:
            return self._look(name)
        except ResourceNotFoundError:
            return None

    def _look(self, name: str) -> Seen:
        return _seen(self._account.ml.jobs.get(name))


def _seen(job: Any) -> Seen:
    """The SDK's class differs by the kind of job, and so do the attributes it has."""
    is_fine_tuning = str(job.type).lower() == "finetuning"
    return Seen(
        name=job.name,
        status=getattr(job.status, "value", None) or str(job.status),
        url=job.studio_url,
        parameters=(job.hyperparameters or {}) if is_fine_tuning else None,
        output=_registered(job.outputs) if is_fine_tuning else None,
    )


def _registered(outputs: Mapping[str, Any] | None) -> str | None:
    names = (one.name for one in (outputs or {}).values())
    return next((name for name in names if name), None)
