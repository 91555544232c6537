"""A chat completion through the OpenAI door against the same upstream asked directly.

    python -m benchmarks.gateway [--seconds 5] [--clients 32]

The upstream is a small ASGI application on loopback that answers at once, so that all that is
measured is the way there and back. Upstream and service share one processor where the machine has
two; the clients run on the other. One client shows what is added to an answer and to its
first piece, many what goes through.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Callable

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

Request = Callable[[], bytes]


def asking(path: str, model: str, *, stream: bool) -> Request:
    """The same question again and again."""
    messages = [{"role": "user", "content": "Say twenty words."}]
    body = {"model": model, "messages": messages, "stream": stream}
    return post(path, json.dumps(body).encode())


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
            "LUTHIER_PROVIDERS__OPENAI__API_KEY": "sk-bench",
            "LUTHIER_PROVIDERS__OPENAI__BASE_URL": f"http://127.0.0.1:{direct}/v1",
        }
        with (
            server(upstream, direct, "/"),
            server(command, gateway, "/readyz", **environment),
        ):
            for stream in (False, True):
                kind = "streamed" if stream else "whole"
                request = asking("/v1/chat/completions", MODEL, stream=stream)
                show(f"{kind}, upstream itself", *measure(direct, request, **limits))
                path, model = "/openai/v1/chat/completions", f"openai/{MODEL}"
                through = asking(path, model, stream=stream)
                show(f"{kind}, through the door", *measure(gateway, through, **limits))


if __name__ == "__main__":
    main()
