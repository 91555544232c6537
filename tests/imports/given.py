"""What a person leaves at the vendor, and what the service makes of it."""

import json
from typing import Any

import httpx
from openai import AsyncOpenAI

BASE_MODEL = "gpt-4.1-mini-2025-04-14"

Json = dict[str, Any]


def lines(count: int = 12) -> bytes:
    """Rows as OpenAI takes them."""
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"What is {number} doubled?"},
                {"role": "assistant", "content": f"It is {2 * number}."},
            ]
        }
        for number in range(count)
    ]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


async def uploaded(person: AsyncOpenAI, name: str = "doubles.jsonl", content: bytes = b"") -> str:
    """The id of a new file."""
    file = await person.files.create(file=(name, content or lines()), purpose="fine-tune")
    return file.id


async def begun(person: AsyncOpenAI, file: str, **others: Any) -> str:
    """The id of a new job."""
    job = await person.fine_tuning.jobs.create(model=BASE_MODEL, training_file=file, **others)
    return job.id


async def imported(service: httpx.AsyncClient, **body: Any) -> Json:
    """The answer to an import."""
    answer = await service.post("/providers/openai/import", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def listed(service: httpx.AsyncClient, path: str) -> list[Json]:
    """Everything of a kind."""
    return (await service.get(path)).json()["data"]
