"""Luthier's own trainer on a cluster: the command that is sent, and what it writes."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from app.domain.errors import YourTurn
from app.domain.provider import RemoteState
from app.providers.azure_ml.provider import AzureMLProvider
from app.sandbox.azure_ml.job import Job
from app.sandbox.azure_ml.simulator import SimulatedAzureML
from tests.providers.azure_ml.given import KEY, TINY, a_plan, connected

_PLACE = re.compile(r"\$\{\{([\w.]+)\}\}")

RUN = f"luthier/runs/{KEY}"

PHASE = b'{"kind":"phase","at":1,"phase":"training","message":null}\n'
METRICS = (
    b'{"kind":"metrics","at":2,"step":1,"total_steps":4,"epoch":0.5,"eta_seconds":3.0,'
    b'"values":{"loss":1.5}}\n'
)
RESULT = (
    b'{"outcome":"failed","error":{"code":"out_of_memory","message":"No room.","hint":"Smaller."}}'
)


async def test_the_command_that_is_sent_trains_a_model(
    provider: AzureMLProvider, simulated: SimulatedAzureML, tmp_path: Path
) -> None:
    pytest.importorskip("trl")
    remote = await provider.submit(a_plan(TINY, epochs=1, adapter="lora"))
    (job,) = simulated.jobs

    exit_status = work(job, simulated, tmp_path)
    simulated.advance(9, job=remote.id)
    seen = await provider.observe(remote, None)

    assert exit_status == 0
    assert seen.state is RemoteState.SUCCEEDED
    assert seen.artifact is not None
    assert seen.artifact.effective["epochs"] == 1
    assert seen.artifact.sha256 is not None
    assert [point.step for point in seen.metrics] == list(range(1, 13))
    assert "adapter_config.json" in {path.rpartition("/")[2] for path in simulated.blobs}
    assert (await provider.observe(remote, seen.cursor)).metrics == []


async def test_a_training_that_fails_says_why_in_its_own_words(
    provider: AzureMLProvider, simulated: SimulatedAzureML
) -> None:
    remote = await provider.submit(a_plan(TINY))
    simulated.write(f"{RUN}/result.json", RESULT)
    simulated.fail(remote.id, message="The container ended with 1.")

    seen = await provider.observe(remote, None)

    assert seen.error is not None
    assert (seen.error.code, seen.error.message) == ("out_of_memory", "No room.")


async def test_a_container_that_died_leaves_azures_reason(
    provider: AzureMLProvider, simulated: SimulatedAzureML
) -> None:
    remote = await provider.submit(a_plan(TINY))
    simulated.fail(remote.id, message="The image cannot be pulled.")

    seen = await provider.observe(remote, None)

    assert seen.error is not None
    assert seen.error.message == "The image cannot be pulled."


async def test_the_journal_is_told_line_by_line(
    provider: AzureMLProvider, simulated: SimulatedAzureML
) -> None:
    remote = await provider.submit(a_plan(TINY))
    simulated.write(f"{RUN}/events.jsonl", PHASE + METRICS[:20])
    first = await provider.observe(remote, None)
    simulated.write(f"{RUN}/events.jsonl", PHASE + METRICS)

    second = await provider.observe(remote, first.cursor)
    third = await provider.observe(remote, second.cursor)

    assert [event.data["phase"] for event in first.events] == ["training"]
    assert first.metrics == []
    assert second.events == []
    assert [point.values for point in second.metrics] == [{"loss": 1.5}]
    assert third.metrics == []
    assert third.progress is not None
    assert third.progress.percent == 25.0


async def test_a_tuned_model_is_gone_on_from(
    provider: AzureMLProvider, simulated: SimulatedAzureML
) -> None:
    await provider.submit(a_plan(TINY, key="job-01k-2", parent=f"{KEY}:1"))

    (job,) = simulated.jobs

    assert job.given["inputs"]["parent"]["uri"].endswith(f"/models/{KEY}/versions/1")
    assert "--parent ${{inputs.parent}}" in job.given["command"]


async def test_deleting_removes_the_weights_too(
    provider: AzureMLProvider, simulated: SimulatedAzureML
) -> None:
    await provider.submit(a_plan(TINY))
    simulated.write(f"luthier/models/{KEY}/adapter_model.safetensors", b"weights")
    simulated.write(f"{RUN}/result.json", RESULT)

    await provider.delete(f"{KEY}:1")

    assert [path for path in simulated.blobs if not path.startswith("luthier/data/")] == []


async def test_without_an_image_it_is_the_users_turn(simulated: SimulatedAzureML) -> None:
    provider = connected(simulated, image=None)

    with pytest.raises(YourTurn, match="AZURE_ML__IMAGE"):
        await provider.submit(a_plan(TINY))

    assert simulated.jobs == []
    await provider.close()


def work(job: Job, simulated: SimulatedAzureML, folder: Path) -> int:
    """Do on this machine what the cluster would: mount, run the command, write what it left."""
    places = {f"outputs.{name}": folder / name for name in job.given["outputs"]}
    for name, given in job.given["inputs"].items():
        places[f"inputs.{name}"] = _mounted(given, simulated, folder / name)
    exit_status = _run(job, places)
    for name, given in job.given["outputs"].items():
        for file in (path for path in (folder / name).rglob("*") if path.is_file()):
            simulated.write(_path(given) + str(file.relative_to(folder / name)), file.read_bytes())
    return exit_status


def _run(job: Job, places: Mapping[str, Path]) -> int:
    command = re.sub(_PLACE, lambda found: str(places[found[1]]), job.given["command"])
    python, *rest = shlex.split(command)
    assert python == "python"
    environment = os.environ | job.given["environmentVariables"]
    ended = subprocess.run([sys.executable, *rest], env=environment, check=False, timeout=300)
    return ended.returncode


def _mounted(given: dict[str, Any], simulated: SimulatedAzureML, place: Path) -> Path:
    place.write_bytes(simulated.blobs[_path(given)])
    return place


def _path(given: dict[str, Any]) -> str:
    return str(given["uri"]).partition("/paths/")[2]
