"""From a host's name to addresses, on threads that nothing else waits for."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host and port, best first; raises `OSError` for a name that has none."""

# A name server that keeps silent must not hold up the threads that decode uploads.
_THREADS = ThreadPoolExecutor(max_workers=4, thread_name_prefix="resolve")


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses that this machine's resolver knows, best first; raises `OSError`."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.run_in_executor(_THREADS, _look_up, host, port)
    except UnicodeError as error:
        raise OSError("no name can have a part this long or empty") from error
    return list(dict.fromkeys(found))


def _look_up(host: str, port: int) -> list[str]:
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in answers]
