"""Taking in a file, beside a checking script on the standard library and Hugging Face datasets.

    python -m benchmarks.intake [megabytes] [megabytes of the large file]

Each side runs in a process of its own on the first processor and reads the same file from memory
(the page cache). Speeds are of processor time, which other work on the machine disturbs least; for
the service it is all that its process takes while the file comes in over HTTP and is stored.
"""

import http.client
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from app.domain.intake import Intake
from benchmarks.api import free_port, server
from benchmarks.script import check_chats

MB = 1_000_000
PIECE = 256_000
"""What uvloop reads at once."""

FOREIGN = ["größer", "café", "naïve", "€20", "“yes”", "дом", "ありがとう", "🙂"]
LETTERS = "aeioubdfgklmnprst"
BOUNDARY = "b9acd3c85b013d2c5dc4cdd83d4055a6"


class Figure(NamedTuple):
    """What one side took: processor and wall seconds, and how many megabytes more memory."""

    processor: float
    wall: float
    memory: float


def main(megabytes: int, large: int) -> None:
    """Print a table for each form of the file, then what a large one takes."""
    with tempfile.TemporaryDirectory() as folder:
        path, repeated = Path(folder, "chats.jsonl"), Path(folder, "large.jsonl")
        for form, (make, separators) in FORMS.items():
            rows = write_file(path, megabytes * MB, make, separators)
            print(f"\n{path.stat().st_size / MB:.0f} MB, {rows:,} {form}\n")
            print("| side | MB/s | wall | ratio | more memory, MB |")
            print("| --- | ---: | ---: | ---: | ---: |")
            script = alone("script", path)
            show("script, every row held as published", script, script, path)
            show("script, row by row", alone("rows", path), script, path)
            show("load_dataset", alone("datasets", path), script, path)
            show("Luthier: read and check", alone("intake", path), script, path)
            show("Luthier: upload, check and store", upload(path), script, path)
        repeat(path, repeated, large * MB)
        figure = upload(repeated)
        speed = repeated.stat().st_size / MB / figure.processor
        print(f"\n{large} MB uploaded: {speed:.0f} MB/s, {figure.memory:.0f} MB more memory")


def show(name: str, figure: Figure, script: Figure, path: Path) -> None:
    """One line of the table."""
    size = path.stat().st_size / MB
    print(
        f"| {name} | {size / figure.processor:.0f} | {size / figure.wall:.0f} "
        f"| {script.processor / figure.processor:.2f} | {figure.memory:.0f} |",
        flush=True,
    )


def write_file(path: Path, size: int, make: "Maker", separators: tuple[str, str]) -> int:
    """A file of random rows in JSON Lines; how many there are."""
    chance, rows = random.Random(7), 0
    words = ["".join(chance.choices(LETTERS, k=chance.randint(2, 10))) for _ in range(20_000)]
    with path.open("wb") as file:
        while file.tell() < size:
            line = json.dumps(make(chance, words), ensure_ascii=False, separators=separators)
            file.write(line.encode() + b"\n")
            rows += 1
    return rows


def make_chat(chance: random.Random, words: list[str]) -> dict[str, Any]:
    """A support chat: instructions and one to four rounds; one in five is not plain ASCII."""
    foreign = FOREIGN if chance.random() < 0.2 else []
    turns = [("system", 12)]
    for _ in range(chance.choice([1, 2, 2, 3, 3, 4])):
        turns += [("user", chance.randint(8, 35)), ("assistant", chance.randint(15, 70))]
    return {
        "messages": [
            {"role": role, "content": make_text(chance, words, foreign, length)}
            for role, length in turns
        ]
    }


def make_label(chance: random.Random, words: list[str]) -> dict[str, Any]:
    """A sentence and its category, as classification has them: a quarter of a kilobyte."""
    turns = {
        "system": "Sort feedback into one of the company's categories.",
        "user": " ".join(chance.choices(words, k=chance.randint(6, 18))) + ".",
        "assistant": f"billing.{chance.choice(words)}",
    }
    return {"messages": [{"role": role, "content": text} for role, text in turns.items()]}


Maker = Callable[[random.Random, list[str]], dict[str, Any]]

SPACED, COMPACT = (", ", ": "), (",", ":")

FORMS = {
    "support chats, spaced as Python writes them": (make_chat, SPACED),
    "support chats, compact": (make_chat, COMPACT),
    "labelled sentences, compact": (make_label, COMPACT),
}


def make_text(chance: random.Random, words: list[str], foreign: list[str], length: int) -> str:
    """Random words, some with a list or a quotation."""
    text = " ".join(chance.choices(words, k=length) + chance.sample(foreign, k=len(foreign) // 4))
    if chance.random() < 0.15:
        text = text.replace(" ", "\n\n- ", 1)
    return text.replace(" ", ' "so" ', 1) if chance.random() < 0.08 else text + "."


def repeat(path: Path, repeated: Path, size: int) -> None:
    """The same file again and again, to a size."""
    content = path.read_bytes()
    with repeated.open("wb") as file:
        while file.tell() < size:
            file.write(content)


def alone(side: str, path: Path) -> Figure:
    """A side in a process of its own."""
    command = [*pin(), sys.executable, "-m", "benchmarks.intake", side, str(path)]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}
    answer = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return Figure(*json.loads(answer.stdout.splitlines()[-1]))


def pin() -> list[str]:
    """What keeps a process on the first of several processors."""
    return ["taskset", "-c", "0"] if (os.cpu_count() or 1) > 1 else []


def run_side(side: str, path: Path) -> None:
    """Print the figure of one side."""
    work = SIDES[side](path)
    peak, wall, processor = peak_megabytes(), time.perf_counter(), time.process_time()
    work()
    taken = time.process_time() - processor, time.perf_counter() - wall
    print(json.dumps([*taken, peak_megabytes() - peak]))


def prepare_script(path: Path) -> Callable[[], object]:
    """The script of the OpenAI cookbook, which holds all rows."""

    def work() -> int:
        with path.open(encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        return sum(check_chats(rows).values())

    return work


def prepare_rows(path: Path) -> Callable[[], object]:
    """The same checks without holding the rows."""

    def work() -> int:
        with path.open(encoding="utf-8") as file:
            return sum(check_chats(json.loads(line) for line in file).values())

    return work


def prepare_datasets(path: Path) -> Callable[[], object]:
    """Hugging Face datasets with an empty cache."""
    import datasets

    def work() -> int:
        with tempfile.TemporaryDirectory() as cache:
            found = datasets.load_dataset("json", data_files=str(path), cache_dir=cache)
            return len(found["train"])

    return work


def prepare_intake(path: Path) -> Callable[[], object]:
    """Reading, checking and hashing without HTTP and without storing."""

    def work() -> int:
        intake = Intake()
        with path.open("rb", buffering=0) as file:
            while piece := file.read(PIECE):
                intake.feed(piece)
        intake.finish()
        return intake.examples

    return work


SIDES = {
    "script": prepare_script,
    "rows": prepare_rows,
    "datasets": prepare_datasets,
    "intake": prepare_intake,
}


def upload(path: Path) -> Figure:
    """An upload to the service on one processor, by a client on the other."""
    port = free_port()
    command = [sys.executable, "-m", "app", "serve", "--no-reconciler", "--port", str(port)]
    with (
        tempfile.TemporaryDirectory() as folder,
        server(command, port, "/readyz", LUTHIER_DATA_DIR=folder) as process,
    ):
        watched = psutil.Process(process.pid)
        before, memory = watched.cpu_times(), watched.memory_info().rss / MB
        wall = time.perf_counter()
        send(port, path)
        wall, after = time.perf_counter() - wall, watched.cpu_times()
        processor = after.user + after.system - before.user - before.system
        return Figure(processor, wall, peak_of(process.pid) - memory)


def send(port: int, path: Path) -> None:
    """The file as a form sends it."""
    opening, ending = (part.encode() for part in form_around())
    length = len(opening) + path.stat().st_size + len(ending)
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.putrequest("POST", "/datasets")
    connection.putheader("Content-Type", f"multipart/form-data; boundary={BOUNDARY}")
    connection.putheader("Content-Length", str(length))
    connection.endheaders(opening)
    with path.open("rb") as file:
        connection.sock.sendfile(file)
    connection.send(ending)
    answer = connection.getresponse()
    assert answer.status == 201, answer.read()


def form_around() -> Iterator[str]:
    """What stands before and after the file."""
    part = f"--{BOUNDARY}\r\nContent-Disposition: form-data; name="
    yield f'{part}"name"\r\n\r\nbench\r\n{part}"file"; filename="chats.jsonl"\r\n\r\n'
    yield f"\r\n--{BOUNDARY}--\r\n"


def peak_megabytes() -> float:
    """The most memory that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MB


def peak_of(process: int) -> float:
    """The most memory, in megabytes, that another process has held so far."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / MB


if __name__ == "__main__":
    if sys.argv[1:] and sys.argv[1] in SIDES:
        run_side(sys.argv[1], Path(sys.argv[2]))
    else:
        if (os.cpu_count() or 1) > 1:
            os.sched_setaffinity(0, {1})
        sizes = [int(given) for given in sys.argv[1:]]
        main(*(sizes + [200, 2000][len(sizes) :]))
