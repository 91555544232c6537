"""Damaged files without end: `python -m tests.datasets_in.fuzz [seconds] [seed]`.

Whatever comes in must be refused or kept, the same in whatever pieces it comes, and what is kept
must come in again as it is. Anything else ends the run with the file that did it.
"""

import gzip
import random
import sys
import time
from collections.abc import Iterator

from app.domain.errors import DatasetInvalid
from app.domain.intake import Reading
from tests.data.bad_files import BAD_FILES, zstd
from tests.datasets_in.reading import take_in
from tests.datasets_in.test_containers import FILES

SEEDS = [*FILES.values(), *(bad.content for bad in BAD_FILES if len(bad.content) < 3000)]
TOKENS = [
    b'"', b"{", b"}", b"[", b"]", b",", b":", b";", b"\\", b"\n", b"\r", b"\t", b"\0", b"\xff",
    b"\xef\xbb\xbf", b"\\ud800", b"\\u0000", b"\\u003a", b"null", b"true", b"1e999", b"NaN",
    b'{"messages": ', b'"tool_calls": ', b'"content": ', b'"role": ', b'"weight": ',
]  # fmt: skip

Outcome = tuple[bytes, bytes] | list[tuple[int | None, str]]


def main(seconds: float, *, seed: int) -> None:
    """Try files until the time is up."""
    chance, end, tried = random.Random(seed), time.monotonic() + seconds, 0
    for content in damaged(chance):
        reading = Reading(is_skipping=chance.random() < 0.5)
        whole = outcome(content, len(content) + 1, reading)
        cut = outcome(content, chance.choice([1, 3, 17, 100]), reading)
        # How far damaged gzip can be read depends on where it is cut.
        is_packed = "packed_" in f"{whole}{cut}"
        assert whole == cut or is_packed, (content, whole, cut)
        tried += 1
        if time.monotonic() > end:
            break
    sys.stdout.write(f"{tried} files, nothing found\n")


def damaged(chance: random.Random) -> Iterator[bytes]:
    """Good and bad files with a few more faults."""
    while True:
        content = bytearray(chance.choice(SEEDS))
        for _ in range(chance.randint(1, 6)):
            _damage(content, chance)
        pack = chance.choice([bytes] * 8 + [gzip.compress, zstd.compress])
        yield pack(bytes(content))


def outcome(content: bytes, size: int, reading: Reading) -> Outcome:
    """What is kept and set aside, or what is refused."""
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    try:
        intake, kept, rejected = take_in(pieces, reading)
    except DatasetInvalid as refused:
        return [(fault.line, fault.code) for fault in refused.faults]
    assert (len(kept), kept.count(b"\n")) == (intake.bytes, intake.examples), content
    assert take_in([kept]).kept == kept, content
    return kept, rejected


def _damage(content: bytearray, chance: random.Random) -> None:
    at, how = chance.randint(0, len(content)), chance.random()
    if how < 0.3:
        content[at:at] = chance.choice(TOKENS)
    elif how < 0.5:
        del content[at : at + chance.randint(1, 8)]
    elif how < 0.7:
        content[at : at + 1] = bytes([chance.randrange(256)])
    else:
        other = chance.choice([*SEEDS, bytes(content)])
        start = chance.randint(0, len(other))
        content[at:at] = other[start : start + chance.randint(1, 100)]


if __name__ == "__main__":
    given = sys.argv[1:]
    main(float(given[0]) if given else 600, seed=int(given[1]) if given[1:] else 0)
