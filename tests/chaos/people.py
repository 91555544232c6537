"""People before a service that dies: users who order jobs, an operator who minds parked ones."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx

Json = dict[str, Any]

CREATED, ACCEPTED, CONFLICT, UNAVAILABLE = 201, 202, 409, 503

AT_ONCE = 16
"""Orders that are under way at the same time."""

ASK_AGAIN_SECONDS = 0.5
"""After how long a request is repeated whose answer was lost."""

IMPATIENT = 10
"""Each so manieth user sends the order twice at once."""

LOOK_SECONDS = 5.0
"""How often the operator looks for parked jobs."""


class Client:
    """Requests that are repeated until the service has answered them."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.counts: Counter[str] = Counter()

    async def request(self, method: str, path: str, **sent: Any) -> httpx.Response:
        """The first answer that is one: neither a lost connection nor 503."""
        while True:
            try:
                answer = await self._client.request(method, path, **sent)
            except httpx.TransportError:
                self.counts["requests without an answer, sent again"] += 1
                await asyncio.sleep(ASK_AGAIN_SECONDS)
                continue
            if answer.status_code != UNAVAILABLE:
                return answer
            self.counts["requests answered 503, sent again"] += 1
            await asyncio.sleep(float(answer.headers["Retry-After"]))


class Users:
    """Each orders one job, with a key of its own."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._places = asyncio.Semaphore(AT_ONCE)
        self.jobs: dict[str, str] = {}
        self.counts: Counter[str] = Counter()

    async def add_datasets(self, count: int) -> None:
        """`rows0`, `rows1` and so on."""
        for number in range(count):
            rows = [
                {"prompt": f"What is {n} times {number}?", "completion": f"{n * number}."}
                for n in range(12)
            ]
            body = {"name": f"rows{number}", "examples": rows}
            answer = await self._client.request("POST", "/datasets", json=body)
            assert answer.status_code == CREATED, answer.text

    async def order(self, jobs: Sequence[Json], seconds: float) -> None:
        """All jobs, spread over so many seconds; later where the service is away."""
        async with asyncio.TaskGroup() as users:
            for number, job in enumerate(jobs):
                users.create_task(self._order(number, job))
                await asyncio.sleep(seconds / len(jobs))

    async def _order(self, number: int, job: Json) -> None:
        key = f"storm-{number}"
        async with self._places:
            times = 2 if number % IMPATIENT == 0 else 1
            ids = await asyncio.gather(*(self._create(key, job) for _ in range(times)))
        assert len(set(ids)) == 1, f"{key} gave {ids}"
        self.jobs[key] = ids[0]

    async def _create(self, key: str, job: Json) -> str:
        headers = {"Idempotency-Key": key}
        answer = await self._client.request("POST", "/jobs", json=job, headers=headers)
        assert answer.status_code == CREATED, answer.text
        self.counts["keys sent again, answered with their first job"] += (
            "Idempotent-Replayed" in answer.headers
        )
        return answer.json()["id"]


class Operator:
    """Asks for a retry of what is parked, as the runbook says."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.retries = 0

    @asynccontextmanager
    async def minding(self) -> AsyncGenerator[None]:
        """At work within the block."""
        task = asyncio.create_task(self._mind())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _mind(self) -> None:
        while True:
            await self._retry_parked()
            await asyncio.sleep(LOOK_SECONDS)

    async def _retry_parked(self) -> None:
        path = "/jobs?status=blocked&limit=200"
        found = await self._client.request("GET", path)
        for job in found.json()["data"]:
            answer = await self._client.request("POST", f"/jobs/{job['id']}/retry")
            # 409 where the answer to the first request was lost.
            assert answer.status_code in (ACCEPTED, CONFLICT), answer.text
            self.retries += answer.status_code == ACCEPTED
