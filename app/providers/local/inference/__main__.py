"""`python -m app.providers.local.inference`: one worker for one socket."""

import argparse
import logging
import signal
import sys
from pathlib import Path
from types import FrameType

from app.providers.local.inference.address import bind, claim

logger = logging.getLogger("app.providers.local.inference")


def main() -> None:
    """Claim the socket and serve; leave at once, with 0, when another worker has it."""
    arguments = _parse()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    if claim(arguments.socket) is None:
        logger.info("another worker serves %s already, leaving", arguments.socket)
        return
    listener = bind(arguments.socket)
    signal.signal(signal.SIGTERM, _leave)
    # Loaded only now: the libraries take seconds, and a second worker should go at once.
    from app.providers.local.inference.server import WorkerOptions, run

    run(
        listener,
        WorkerOptions(
            socket=arguments.socket,
            idle_seconds=arguments.idle_seconds,
            threads=arguments.threads,
            max_models=arguments.max_models,
            max_adapters=arguments.max_adapters,
        ),
    )


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m app.providers.local.inference")
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument("--idle-seconds", type=float, required=True)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--max-models", type=int, default=4)
    parser.add_argument("--max-adapters", type=int, default=16, help="per model")
    return parser.parse_args()


def _leave(_signal: int, _frame: FrameType | None) -> None:
    # uvicorn raises the signal again once it has shut down; this lets clean-up run to its end.
    sys.exit(0)


if __name__ == "__main__":
    main()
