"""F16: what a provider calls its things is shown, and never taken for a name of ours."""

import httpx
import pytest

from tests.api.given import dataset, ended, job


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/jobs/{id}"),
        ("POST", "/jobs/{id}/cancel"),
        ("GET", "/jobs/{id}/events"),
        ("GET", "/models/{id}"),
        ("DELETE", "/models/{id}"),
        ("POST", "/models/{id}/chat/completions"),
        ("GET", "/datasets/{id}"),
    ],
)
async def test_f16_a_providers_own_id_leads_nowhere(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    await dataset(client)
    done = await ended(client, await job(client))
    raw = done["remote"]["id"]
    asked = {"messages": [{"role": "user", "content": "well?"}]} if "chat" in path else None

    answer = await client.request(method, path.format(id=raw), json=asked)

    assert answer.status_code == 404
