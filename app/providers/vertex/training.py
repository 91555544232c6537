"""Tuning jobs at Google: created once, found by their label, looked at, told to end.

Supervised jobs are created over the stable API. Preference tuning is in v1beta1 alone, which
`google-genai` speaks; looks go that way too, because it keeps states that nobody knows yet.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from app.domain.jobs import Millis, Remote
from app.domain.provider import Submitted
from app.providers.vertex.account import TIMEOUT_SECONDS, Account
from app.providers.vertex.plans import LABEL, filter_for
from app.providers.vertex.refusals import creating, looking, wishing
from app.providers.vertex.translate import remote_of, state_of

if TYPE_CHECKING:
    from google.cloud.aiplatform_v1 import TuningJob
    from google.genai import types

CREATE_SECONDS = 60.0

PAGE_SIZE = 100

_MILLISECONDS = 1000


class Training:
    """The tuning jobs of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def create(self, body: Mapping[str, Any]) -> Remote:
        """Create the job; it is sent once, and an answer that is lost is raised as it was lost."""
        with creating():
            await self._account.open()
            if "preferenceOptimizationSpec" in body:
                return await self._create_preference(body)
            return await self._account.run(self._create_supervised, body)

    async def find(self, key: str) -> Remote | None:
        """The oldest job with the key; all jobs are looked through where the filter finds none."""
        with looking():
            await self._account.open()
            return await self._account.run(self._find, key)

    async def submitted(self, since: Millis) -> Sequence[Submitted]:
        """All jobs that carry a key and were created since then."""
        with looking():
            await self._account.open()
            return await self._account.run(self._submitted, since)

    async def listed(self) -> list[dict[str, Any]]:
        """Every job of the location as JSON, whoever created it, the oldest first."""
        with looking():
            await self._account.open()
            pages = await self._account.genai.aio.tunings.list(
                config={
                    "page_size": PAGE_SIZE,
                    "http_options": {"timeout": int(TIMEOUT_SECONDS * _MILLISECONDS)},
                }
            )
            jobs = [_said(job) async for job in pages]
        return sorted(jobs, key=lambda job: datetime.fromisoformat(job["createTime"]))

    async def look(self, name: str) -> dict[str, Any]:
        """The job as JSON, with Google's own words."""
        with looking():
            await self._account.open()
            job = await self._account.genai.aio.tunings.get(
                name=name,
                config={"http_options": {"timeout": int(TIMEOUT_SECONDS * _MILLISECONDS)}},
            )
        return _said(job)

    async def cancel(self, name: str) -> None:
        """Ask for the end; Google promises no more than to try."""
        with wishing():
            await self._account.open()
            await self._account.run(
                self._account.tuning.cancel_tuning_job,
                name=name,
                timeout=TIMEOUT_SECONDS,
                retry=None,
            )

    def _create_supervised(self, body: Mapping[str, Any]) -> Remote:
        from google.cloud.aiplatform_v1 import TuningJob
        from google.protobuf.json_format import ParseDict

        wanted = TuningJob.wrap(ParseDict(dict(body), TuningJob.pb(TuningJob())))
        job = self._account.tuning.create_tuning_job(
            parent=self._account.parent, tuning_job=wanted, timeout=CREATE_SECONDS, retry=None
        )
        return _remote(job)

    async def _create_preference(self, body: Mapping[str, Any]) -> Remote:
        from google.genai import types

        spec = body["preferenceOptimizationSpec"]
        validation = spec.get("validationDatasetUri")
        parameters = spec.get("hyperParameters", {})
        source = body.get("preTunedModel", {})
        job = await self._account.genai.aio.tunings.tune(
            base_model=source.get("tunedModelName") or body["baseModel"],
            training_dataset=types.TuningDataset(gcs_uri=spec["trainingDatasetUri"]),
            # Not a dict: one loses the checkpoint on its way through the library.
            config=types.CreateTuningJobConfig(
                method=types.TuningMethod.PREFERENCE_TUNING,
                validation_dataset=types.TuningValidationDataset(gcs_uri=validation)
                if validation
                else None,
                tuned_model_display_name=body["tunedModelDisplayName"],
                labels=body["labels"],
                pre_tuned_model_checkpoint_id=source.get("checkpointId"),
                epoch_count=parameters.get("epochCount"),
                learning_rate_multiplier=parameters.get("learningRateMultiplier"),
                adapter_size=parameters.get("adapterSize"),
                beta=parameters.get("beta"),
                export_last_checkpoint_only=spec.get("exportLastCheckpointOnly"),
                http_options=types.HttpOptions(timeout=int(CREATE_SECONDS * _MILLISECONDS)),
            ),
        )
        return remote_of(_said(job))

    def _find(self, key: str) -> Remote | None:
        from google.api_core.exceptions import BadRequest

        try:
            found = _oldest(self._list(filter_for(key)), key)
        except BadRequest:
            # Filters on labels are documented for the jobs beside these, and not for these.
            found = None
        return found or _oldest(self._list(None), key)

    def _submitted(self, since: Millis) -> Sequence[Submitted]:
        return [
            Submitted(key=job.labels[LABEL], remote=_remote(job), state=state_of(_plain(job)))
            for job in self._list(None)
            if LABEL in job.labels and _created(job).timestamp() * _MILLISECONDS >= since
        ]

    def _list(self, wanted: str | None) -> Iterable["TuningJob"]:
        request = {"parent": self._account.parent, "page_size": PAGE_SIZE}
        if wanted is not None:
            request["filter"] = wanted
        return self._account.tuning.list_tuning_jobs(
            request=request, timeout=TIMEOUT_SECONDS, retry=None
        )


def _said(job: "types.TuningJob") -> dict[str, Any]:
    return job.model_dump(mode="json", by_alias=True, exclude_none=True)


def _oldest(jobs: Iterable["TuningJob"], key: str) -> Remote | None:
    """The labels are compared here too: a filter may have been passed over."""
    ours = [job for job in jobs if job.labels.get(LABEL) == key]
    return _remote(min(ours, key=_created)) if ours else None


def _created(job: "TuningJob") -> datetime:
    # A protobuf Timestamp by its annotation, and a datetime on access.
    return cast("datetime", job.create_time)


def _remote(job: "TuningJob") -> Remote:
    return remote_of(_plain(job))


def _plain(job: "TuningJob") -> dict[str, Any]:
    return {"name": job.name, "state": job.state.name}
