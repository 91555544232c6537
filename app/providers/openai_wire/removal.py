"""Removing what a job of ours left at the vendor: its models and its files."""

from collections.abc import Mapping, Sequence
from typing import Any

import openai
from openai import AsyncOpenAI

from app.providers.openai_wire import translate
from app.providers.openai_wire.files import Files
from app.providers.openai_wire.jobs import Jobs
from app.providers.openai_wire.refusals import asking


async def remove(
    artifact: str, client: AsyncOpenAI, jobs: Jobs, files: Files, *, vendor: str
) -> None:
    """Delete a tuned model with its checkpoints, and the files that no unfinished job needs."""
    with asking(vendor):
        every = await jobs.listed({})
        names = {artifact}
        for job in makers_of(artifact, every):
            names.update(await jobs.checkpoint_names(job["id"]))
        for name in sorted(names):
            await _delete_model(client, name)
        await remove_files(artifact, every, jobs, files)


async def remove_files(
    artifact: str, every: Sequence[Mapping[str, Any]], jobs: Jobs, files: Files
) -> None:
    """Delete the files of our jobs that made a model, but what an unfinished job of all needs."""
    makers = makers_of(artifact, every)
    needed = {file_id for job in every if not _is_over(job) for file_id in _files_of(job)}
    left = {file_id for job in makers if jobs.is_ours(job) for file_id in _files_of(job)}
    await files.delete(sorted(left - needed))


def makers_of(artifact: str, every: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The jobs among them that made a model."""
    return [job for job in every if job.get("fine_tuned_model") == artifact]


async def _delete_model(client: AsyncOpenAI, name: str) -> None:
    try:
        await client.models.delete(name)
    except openai.NotFoundError:
        return


def _is_over(job: Mapping[str, Any]) -> bool:
    return translate.state_of(job["status"]) in translate.TERMINAL


def _files_of(job: Mapping[str, Any]) -> list[str]:
    named = [job.get("training_file"), job.get("validation_file"), *(job.get("result_files") or ())]
    return [file_id for file_id in named if file_id]
