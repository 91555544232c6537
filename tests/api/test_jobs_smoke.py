"""A job's whole way through the API, on both databases."""

import httpx

from tests.api.given import at_its_end


async def test_a_job_runs_to_its_tuned_model(client: httpx.AsyncClient) -> None:
    rows = [{"prompt": f"say {n}", "completion": f"say {n}"} for n in range(12)]
    dataset = await client.post("/datasets", json={"name": "echo", "examples": rows})
    assert dataset.status_code == 201, dataset.text
    job = await client.post(
        "/jobs", json={"provider": "simulated", "base_model": "sim-base", "dataset": "echo"}
    )
    assert job.status_code == 201, job.text
    while True:
        seen = (await client.get(job.headers["location"], params={"wait": 5})).json()
        if seen["status"] in ("succeeded", "failed"):
            break
    assert seen["status"] == "succeeded", seen
    evaluation = await client.post(
        "/evaluations",
        json={"dataset": "echo", "candidates": ["simulated/sim-base", seen["tuned_model"]]},
    )
    assert evaluation.status_code == 201, evaluation.text
    judged = await at_its_end(client, evaluation.headers["location"])
    assert [score["mean"] for score in judged["scores"]] == [0.0, 1.0], judged
