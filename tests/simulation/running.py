"""Where simulations run: a quiet bench in memory."""

import gc
import logging
import tempfile
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import structlog

from tests.simulation.bench import Bench

MEMORY = Path("/dev/shm")
"""Where a durable write costs nothing, as nothing here outlives its run."""


@contextmanager
def quiet_bench() -> Generator[Bench]:
    """A bench; nobody reads the log of what goes wrong on purpose."""
    before = structlog.get_config()
    level = logging.getLogger("sqlalchemy.pool").level
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
    place = MEMORY if MEMORY.is_dir() else None
    # What is here already is not looked through after every run.
    gc.freeze()
    try:
        with tempfile.TemporaryDirectory(dir=place) as folder, warnings.catch_warnings():
            # The dead give nothing back.
            warnings.filterwarnings("ignore", message="The garbage collector")
            yield Bench(Path(folder))
    finally:
        gc.unfreeze()
        structlog.configure(**before)
        logging.getLogger("sqlalchemy.pool").setLevel(level)
