"""Problem answers where no route of ours was reached."""

import httpx
import pytest

from tests.api.expect import refused


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "route_not_found"),
        ("GET", "/", 404, "route_not_found"),
        ("POST", "/jobs/job_x/explode", 404, "route_not_found"),
        ("DELETE", "/jobs", 405, "method_not_allowed"),
        ("PUT", "/datasets/echo", 405, "method_not_allowed"),
        ("BREW", "/jobs", 405, "method_not_allowed"),
        ("GET", "/jobs/job_x/cancel", 405, "method_not_allowed"),
    ],
)
async def test_what_leads_nowhere_is_a_problem_too(
    idle_client: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    answer = await idle_client.request(method, path)
    refused(answer, status, code)
    assert ("allow" in answer.headers) == (status == 405)


async def test_every_answer_has_an_id_of_its_own(idle_client: httpx.AsyncClient) -> None:
    ids = [(await idle_client.get("/healthz")).headers["x-request-id"] for _ in range(3)]
    assert len(set(ids)) == 3


async def test_many_faults_are_told_at_once(idle_client: httpx.AsyncClient) -> None:
    body = {"seed": -1, "validation_split": 2, "colour": "red"}
    problem = refused(await idle_client.post("/jobs", json=body), 422, "invalid_request")
    assert {fault["pointer"] for fault in problem["errors"]} == {
        "/provider", "/base_model", "/dataset", "/seed", "/validation_split", "/colour"
    }  # fmt: skip
    assert all(fault["code"] and fault["message"] for fault in problem["errors"])


async def test_a_pointer_is_escaped(idle_client: httpx.AsyncClient) -> None:
    problem = refused(await idle_client.post("/jobs", json={"a/b~c": 1}), 422, "invalid_request")
    assert "/a~1b~0c" in {fault["pointer"] for fault in problem["errors"]}


async def test_a_body_without_end_is_refused(idle_client: httpx.AsyncClient) -> None:
    body = b'{"provider": "' + b"x" * (17 * 1024 * 1024) + b'"}'

    refused = await idle_client.post(
        "/jobs", content=body, headers={"Content-Type": "application/json"}
    )

    assert refused.status_code == 413
    assert refused.json()["code"] == "body_too_large"
