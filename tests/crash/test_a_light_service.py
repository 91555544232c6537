"""What the service process carries: none of the libraries that train, and little memory."""

import asyncio
import json
import subprocess
import sys

import httpx
import psutil
import pytest

from tests.crash.following import add_dataset, finished, queue_job
from tests.crash.processes import Luthier

pytestmark = pytest.mark.parametrize("pattern", ["sqlite"], indirect=True)

TRAINING = {"accelerate", "datasets", "numpy", "peft", "tokenizers", "torch", "transformers", "trl"}
VENDORS = {"azure", "google", "openai"}
ROWS = [{"prompt": "say well", "completion": "well"}]
TARGET = {"provider": "simulated", "base_model": "sim-base"}


async def test_no_read_loads_a_library_that_trains_or_a_vendor_s_sdk(
    idle_client: httpx.AsyncClient, luthier: Luthier
) -> None:
    await add_dataset(idle_client)
    job = await queue_job(idle_client)
    await luthier.start()
    model = (await finished(idle_client, job))["tuned_model"]
    wanted = {"dataset": "echo", "candidates": [model]}
    evaluation = (await idle_client.post("/evaluations", json=wanted)).json()
    ids = {"datasets": "echo", "evaluations": evaluation["id"], "jobs": job, "models": model}
    ids |= {"providers": "local", "dataset-templates": "classification"}
    await idle_client.put("/aliases/prod", json={"model": model})
    hook = {"url": "https://hooks.example/", "events": ["job.*"]}
    webhook = (await idle_client.post("/webhooks", json=hook)).json()
    key = (await idle_client.post("/keys", json={"name": "a", "role": "viewer"})).json()
    ids |= {"aliases": "prod", "webhooks": webhook["id"], "keys": key["id"], "projects": "default"}
    await idle_client.post("/datasets", json={"name": "held-out", "examples": ROWS})
    compared = {"dataset": "echo", "evaluate": {"dataset": "held-out"}, "targets": [TARGET]}
    comparison = (await idle_client.post("/comparisons", json=compared)).json()
    ids |= {"comparisons": comparison["id"]}
    command = [sys.executable, "-m", "tests.crash.read_everything", json.dumps(ids)]
    reader = await asyncio.create_subprocess_exec(
        *command, env=luthier.environment(), stdout=subprocess.PIPE
    )
    printed, _ = await reader.communicate()
    assert reader.returncode == 0
    assert not (TRAINING | VENDORS | {"psycopg"}).intersection(json.loads(printed))


async def test_a_fresh_service_is_small(luthier: Luthier) -> None:
    await luthier.start()
    await luthier.ready()
    assert psutil.Process(luthier.pid).memory_info().rss < 150 * 1024 * 1024
