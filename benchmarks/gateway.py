"""A chat completion through the OpenAI door against the same upstream asked directly.

    python -m benchmarks.gateway [--seconds 5] [--clients 32]

The upstream is a small ASGI application on loopback that answers at once, so that all that is
measured is the way there and back. Upstream and service share one processor where the machine has
two; the clients run on the other. They come with a key that has a rate limit, and name the model as
`provider/model` or by an alias. One client shows what is added to an answer and to its first piece,
many what goes through.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Callable

import httpx

from benchmarks.api import Figure, free_port, load, post, server

UPSTREAM = """
import json
import uvicorn
HEAD = {"id": "chatcmpl-1", "created": 1, "model": "gpt-4.1-mini-2025-04-14"}
MESSAGE = {"role": "assistant", "content": "word " * 20, "refusal": None}
CHOICE = {"index": 0, "message": MESSAGE, "finish_reason": "stop", "logprobs": None}
USAGE = {"prompt_tokens": 9, "completion_tokens": 20, "total_tokens": 29}
WHOLE = json.dumps(HEAD | {"object": "chat.completion", "choices": [CHOICE], "usage": USAGE})
def frame(delta, reason):
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    chunk = HEAD | {"object": "chat.completion.chunk", "choices": [choice]}
    return f"data: {json.dumps(chunk)}\\n\\n".encode()
FRAMES = [frame({"content": "word "}, None)] * 20 + [frame({}, "stop"), b"data: [DONE]\\n\\n"]
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    streams = b'"stream":true' in body.replace(b" ", b"")
    kind = b"text/event-stream" if streams else b"application/json"
    headers = [(b"content-type", kind)]
    if not streams:
        headers.append((b"content-length", str(len(WHOLE)).encode()))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    if not streams:
        await send({"type": "http.response.body", "body": WHOLE.encode()})
        return
    for each in FRAMES:
        await send({"type": "http.response.body", "body": each, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
uvicorn.run(app, port={port}, log_config=None, access_log=False, lifespan="off")
"""

MODEL = "gpt-4.1-mini-2025-04-14"

ALIAS = "desk"

DOOR = "/openai/v1/chat/completions"

ADMIN_KEY = "a-key-for-an-hour-on-this-machine"

Request = Callable[[], bytes]


def asking(path: str, model: str, *, stream: bool, key: str = "") -> Request:
    """The same question again and again."""
    messages = [{"role": "user", "content": "Say twenty words."}]
    body = {"model": model, "messages": messages, "stream": stream}
    return post(path, json.dumps(body).encode(), key=key)


def furnish(port: int) -> str:
    """Make the alias, and the key that is given back; ask once, for what is loaded on first use."""
    bearer = {"Authorization": f"Bearer {ADMIN_KEY}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=bearer, timeout=60) as admin:
        admin.put(f"/aliases/{ALIAS}", json={"model": f"openai/{MODEL}"}).raise_for_status()
        asked = {"model": ALIAS, "messages": [{"role": "user", "content": "Hello"}]}
        admin.post(DOOR, json=asked).raise_for_status()
        wanted = {"name": "bench", "role": "developer", "rate_limit_per_minute": 1_000_000}
        return str(admin.post("/keys", json=wanted).raise_for_status().json()["secret"])


def measure(port: int, request: Request, *, seconds: float, clients: int) -> list[Figure]:
    """One client, and many."""
    return [
        asyncio.run(load(port, request, seconds=seconds, clients=count)) for count in (1, clients)
    ]


def show(name: str, alone: Figure, together: Figure) -> None:
    """One line of the table."""
    print(
        f"| {name:<26} | {alone.first_ms:>8.2f} | {alone.p50_ms:>6.2f} | {alone.p99_ms:>6.2f} "
        f"| {together.per_second:>6.0f} | {together.p50_ms:>6.1f} | {together.p99_ms:>6.1f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--clients", type=int, default=32)
    asked = parser.parse_args()
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {1})
    limits = {"seconds": asked.seconds, "clients": asked.clients}
    direct, gateway = free_port(), free_port()
    upstream = [sys.executable, "-c", UPSTREAM.replace("{port}", str(direct))]
    command = [sys.executable, "-m", "app", "serve", "--no-reconciler", "--port", str(gateway)]
    print(f"|                            | 1 client ||| {asked.clients} clients |||")
    print("|                            | first ms | p50 ms | p99 ms |  req/s | p50 ms | p99 ms |")
    print("| -------------------------- | -------: | -----: | -----: | -----: | -----: | -----: |")
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "LUTHIER_DATA_DIR": folder,
            "LUTHIER_ADMIN_KEY": ADMIN_KEY,
            "LUTHIER_PROVIDERS__OPENAI__API_KEY": "sk-bench",
            "LUTHIER_PROVIDERS__OPENAI__BASE_URL": f"http://127.0.0.1:{direct}/v1",
        }
        with (
            server(upstream, direct, "/"),
            server(command, gateway, "/readyz", **environment),
        ):
            key = furnish(gateway)
            for stream in (False, True):
                kind = "streamed" if stream else "whole"
                request = asking("/v1/chat/completions", MODEL, stream=stream)
                show(f"{kind}, upstream itself", *measure(direct, request, **limits))
                for name, model in (("the door", f"openai/{MODEL}"), ("an alias", ALIAS)):
                    through = asking(DOOR, model, stream=stream, key=key)
                    show(f"{kind}, through {name}", *measure(gateway, through, **limits))


if __name__ == "__main__":
    main()
