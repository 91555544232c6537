"""The estimate of tokens against tokenizers that lie here, text by text and in whole.

pip install bpe-openai tokenizers
python -m benchmarks.tokens FOLDER... [--ending .md]

Each folder is one row: its files are cut into pieces as long as messages are.
"""

import argparse
import importlib
import random
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from app.domain.tokens import estimate_tokens

PIECES = 400
SIZES = (60, 200, 800, 3_000)
TINY = Path(__file__).parents[1] / "app/providers/local/luthier_tiny/tokenizer.json"

OPEN_VOCABULARIES = ("o200k_base", "cl100k_base", "voyage3_base")

Count = Callable[[str], int]


def main(folders: list[Path], ending: str) -> None:
    """Print one row for each folder and tokenizer, and the speed."""
    for folder in folders:
        pieces = list(islice(read_pieces(folder, ending), PIECES))
        for name, count in tokenizers().items():
            true = [count(piece) for piece in pieces]
            print(f"{folder.name:12} {name:12} {compare(pieces, true)}")
        print(f"{folder.name:12} {'speed':12} {megabytes_per_second(pieces):.0f} MB/s")


def read_pieces(folder: Path, ending: str) -> Iterator[str]:
    """Pieces of the folder's files, in an order that is always the same."""
    chance = random.Random(5)
    files = sorted(folder.rglob(f"*{ending}"))
    chance.shuffle(files)
    for file in files:
        text = file.read_text(errors="replace")
        while text:
            size = chance.choice(SIZES)
            piece, text = text[:size].strip(), text[size:]
            if len(piece) >= min(SIZES):
                yield piece


def tokenizers() -> dict[str, Count]:
    """Those of OpenAI and Voyage, and that of the model that comes with Luthier."""
    openai = importlib.import_module("bpe_openai")
    tiny = importlib.import_module("tokenizers").Tokenizer.from_file(str(TINY))
    encodings = {name: openai.get_encoding(name) for name in OPEN_VOCABULARIES}
    return {
        **{name: partial(count_with, encoding) for name, encoding in encodings.items()},
        "luthier-tiny": partial(count_with, tiny),
    }


def count_with(encoding: Any, text: str) -> int:
    """Tokens of a text, special ones not added."""
    return len(encoding.encode(text))


def compare(pieces: list[str], true: list[int]) -> str:
    """The error in whole, and of the single pieces."""
    estimates = [estimate_tokens(piece) for piece in pieces]
    off = sorted(abs(told / real - 1) for told, real in zip(estimates, true, strict=True))
    whole = sum(estimates) / sum(true) - 1
    p95 = off[int(0.95 * len(off))]
    return f"in whole {whole:+6.1%}   a piece: median {median(off):5.1%}, p95 {p95:5.1%}"


def megabytes_per_second(pieces: list[str]) -> float:
    """How fast the estimate is, in bytes of UTF-8."""
    size = sum(len(piece.encode()) for piece in pieces)
    seconds: list[float] = []
    for _ in range(10):
        started = time.perf_counter()
        for piece in pieces:
            estimate_tokens(piece)
        seconds.append(time.perf_counter() - started)
    return size / min(seconds) / 1e6


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--ending", default="")
    asked = parser.parse_args()
    main(asked.folders, asked.ending)
