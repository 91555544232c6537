"""The worker's process: a private socket, the HTTP app on it, an end when nobody asks."""

import asyncio
import contextlib
import logging
import socket
from dataclasses import dataclass
from pathlib import Path

import transformers
import uvicorn

from app.providers.local.inference.engine import Engine
from app.providers.local.inference.loading import choose_device
from app.providers.local.inference.routes import build_app
from app.providers.local.inference.shelf import ModelShelf

logger = logging.getLogger(__name__)

_GRACE_SECONDS = 10  # what answers under way get once the worker is asked to stop


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """How one worker runs; `threads` are torch's, None leaves the choice to it."""

    socket: Path
    idle_seconds: float
    threads: int | None
    max_models: int
    max_adapters: int


def run(listener: socket.socket, options: WorkerOptions) -> None:
    """Serve until SIGTERM, or until nobody has asked for `idle_seconds`."""
    transformers.utils.logging.disable_progress_bar()
    _offer_to_out_of_memory_killer()
    device = choose_device()
    shelf = ModelShelf(device, max_models=options.max_models, max_adapters=options.max_adapters)
    engine = Engine(shelf, threads=options.threads)
    engine.start()
    logger.info("serving %s, device %s", options.socket, device)
    config = uvicorn.Config(
        build_app(engine, shelf),
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    try:
        asyncio.run(_IdleServer(config, engine, options).serve(sockets=[listener]))
    finally:
        options.socket.unlink(missing_ok=True)
        engine.close()


class _IdleServer(uvicorn.Server):
    """Leaves when idle: first off the path, so that no new client comes, then for good."""

    def __init__(self, config: uvicorn.Config, engine: Engine, options: WorkerOptions) -> None:
        super().__init__(config)
        self._engine = engine
        self._options = options
        self._withdrawn = False

    async def on_tick(self, counter: int) -> bool:
        """Called by uvicorn ten times a second; True ends the server."""
        if self._withdrawn and self._engine.quiet_seconds > 0:
            return True
        if not self._withdrawn and self._engine.quiet_seconds > self._options.idle_seconds:
            logger.info("idle for %s s, leaving", self._options.idle_seconds)
            self._options.socket.unlink(missing_ok=True)
            self._withdrawn = True
        return await super().on_tick(counter)


def _offer_to_out_of_memory_killer() -> None:
    """Where memory ends, the kernel shall take this process and not the service."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")
