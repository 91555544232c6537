"""A file goes out while it is written: what is held does not grow with the dataset."""

import random
import subprocess
import sys

import pytest

from app.domain.reading.rows import Container
from app.domain.writing.conversion import Writing
from tests.datasets_in.reading import take_in
from tests.datasets_out.converting import surveyed

CHANCE = random.Random(7)
LINES = [
    b'{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"%s"}]}'
    % CHANCE.randbytes(500_000).hex().encode()
    for _ in range(40)
]


@pytest.mark.parametrize("container", Container)
def test_what_is_written_goes_out_at_once(container: Container) -> None:
    survey = surveyed(LINES, container=container)
    writing = Writing(survey)
    begun = b"".join(writing.feed([line]) for line in LINES)
    rest = writing.finish()
    assert len(rest) < len(begun) / 2
    assert take_in([begun, rest]).intake.examples == 40


def test_without_pyarrow_parquet_is_refused_with_what_to_install() -> None:
    program = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from app.domain.datasets import DatasetKind\n"
        "from app.domain.errors import FormatUnavailable\n"
        "from app.domain.reading.rows import Container\n"
        "from app.domain.writing.targets import choose_target\n"
        "try: choose_target(DatasetKind.CHAT, container=Container.PARQUET)\n"
        "except FormatUnavailable as error: print(error.detail)\n"
    )
    told = subprocess.check_output([sys.executable, "-c", program], text=True)
    assert "pip install 'luthier[parquet]'" in told
