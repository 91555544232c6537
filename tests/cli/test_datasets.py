"""`luthier datasets` and `luthier quote`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Json, Luthier

Write = Callable[[str, list[Json]], str]


def test_an_upload_prints_the_id_and_nothing_else(luthier: Luthier, write: Write) -> None:
    file = write("rows.jsonl", [{"prompt": "a", "completion": "b"}] * 10)

    uploaded = luthier.run("datasets", "upload", file, "--name", "fresh")

    assert uploaded.stdout.startswith("ds_")
    assert uploaded.stdout.count("\n") == 1
    assert uploaded.stderr == "fresh@1: 10 chat examples\n"
    assert luthier.ask("datasets", "show", "fresh")["id"] == uploaded.stdout.strip()


def test_columns_say_what_odd_names_mean(luthier: Luthier, write: Write) -> None:
    rows = [{"question": f"q{number}", "answer": "a", "row": number} for number in range(10)]
    meant = ["question=prompt", "answer=completion", "row="]

    odd = luthier.ask(
        *("datasets", "upload", write("odd.jsonl", rows), "--name", "odd", "--format", "jsonl"),
        *(word for one in meant for word in ("--columns", one)),
    )

    assert (odd["examples"], odd["rejected"]) == (10, 0)


def test_wrong_rows_are_named_by_their_lines(luthier: Luthier, write: Write) -> None:
    rows: list[Json] = [{"prompt": "a", "completion": "b"}] * 10 + [{"prompt": "c"}]
    upload = ("datasets", "upload", write("wrong.jsonl", rows), "--name", "wrong")

    refused = luthier.run(*upload, status=1)
    problem = luthier.ask(*upload, status=1)
    skipped = luthier.run(*upload, "--on-error", "skip")

    assert refused.stdout == ""
    assert refused.stderr.startswith("luthier: dataset_invalid: ")
    assert "line 11" in refused.stderr
    assert problem["errors"][0]["line"] == 11
    assert skipped.stderr == "wrong@1: 10 chat examples, 1 rows set aside\n"


def test_a_list_is_lines_with_tabs_where_no_person_looks(luthier: Luthier, dataset: str) -> None:
    lines = luthier.run("datasets", "list", "--name", "echo").stdout.splitlines()

    assert [line.split("\t")[:4] for line in lines] == [[dataset, "echo@1", "chat", "12"]]


def test_a_list_says_how_it_goes_on(luthier: Luthier, dataset: str, write: Write) -> None:
    file = write("more.jsonl", [{"prompt": "a", "completion": "c"}] * 10)
    luthier.run("datasets", "upload", file, "--name", "more")

    first = luthier.run("datasets", "list", "--limit", "1")
    cursor = first.stderr.split()[-1]
    second = luthier.run("datasets", "list", "--limit", "1", "--cursor", cursor)

    assert dataset
    assert first.stdout != second.stdout


def test_a_report_says_first_what_to_do(luthier: Luthier, write: Write) -> None:
    rows = [{"prompt": f"say {number % 8}", "completion": "yes"} for number in range(12)]
    luthier.run("datasets", "upload", write("twice.jsonl", rows), "--name", "twice")

    told = luthier.run("datasets", "report", "twice", "--wait").stdout
    report = luthier.ask("datasets", "report", "twice", "--wait")

    assert report["status"] == "ready"
    assert told.splitlines()[1] == f"next: {report['next']}"
    for finding in report["report"]["findings"]:
        assert finding["code"] in told
        assert f"  do: {finding['advice']}" in told
    assert "  lines 1, 9" in told


def test_compile_tells_whether_it_fits(luthier: Luthier, dataset: str) -> None:
    target = ("--provider", "simulated", "--base-model", "sim-base")

    fits = luthier.run("datasets", "compile", dataset, *target)
    unknown = luthier.run("datasets", "compile", dataset, *target[:3], "none", status=1)
    wrong = luthier.run("datasets", "compile", dataset, *target, "--set", "epochs=99", status=1)

    assert fits.stdout.startswith("fits simulated/sim-base (sft)\n12 examples, ")
    assert "base_model_unknown" in unknown.stderr
    assert "/method/hyperparameters/epochs" in wrong.output


def test_a_split_makes_a_version_of_each_part(luthier: Luthier, dataset: str) -> None:
    luthier.run("datasets", "split", dataset, "--validation", "0", "--test", "0.25", "--seed", "7")

    parts = [luthier.ask("datasets", "show", f"echo-{part}") for part in ("train", "test")]

    assert sum(part["examples"] for part in parts) == 12


def test_a_diff_shows_what_was_and_what_is(luthier: Luthier, write: Write) -> None:
    rows = [{"prompt": f"p{number}", "completion": "old"} for number in range(10)]
    for content in (rows, [*rows[:9], rows[9] | {"completion": "new"}]):
        luthier.run("datasets", "upload", write("d.jsonl", content), "--name", "changing")

    lines = luthier.run("datasets", "diff", "changing").stdout.splitlines()

    assert lines[0].startswith("changing@1 -> changing@2: 0 added, 0 removed, 1 changed")
    assert [line[:8] for line in lines[1:]] == ["-     10", "+     10"]


def test_a_download_goes_to_stdout_or_a_file(
    luthier: Luthier, dataset: str, tmp_path: Path
) -> None:
    file = tmp_path / "out.csv"
    form = ("--format", "prompt_completion", "--container", "csv")

    printed = luthier.run("datasets", "download", dataset).stdout
    luthier.run("datasets", "download", dataset, *form, "-o", str(file))

    assert len([json.loads(line) for line in printed.splitlines()]) == 12
    assert file.read_text().splitlines()[0] == "prompt,completion"
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []


def test_a_download_that_is_refused_leaves_no_file(
    luthier: Luthier, dataset: str, tmp_path: Path
) -> None:
    file = tmp_path / "out.jsonl"

    luthier.run(
        "datasets", "download", dataset, "--format", "preference", "-o", str(file), status=1
    )

    assert not file.exists()


def test_a_quote_has_a_line_for_each_platform(luthier: Luthier, dataset: str) -> None:
    lines = luthier.run("quote", dataset, "--set", "epochs=2").stdout.splitlines()
    one = luthier.ask("quote", dataset, "--target", "simulated/sim-base")

    assert [line.split("\t")[:2] for line in lines] == [
        ["simulated/sim-base", "yes"],
        ["simulated/sim-sft-only", "yes"],
    ]
    assert [row["base_model"] for row in one["data"]] == ["sim-base"]


@pytest.mark.parametrize(
    "words",
    [
        ("datasets", "upload", __file__, "--name", "x", "--columns", "odd"),
        ("quote", "echo", "--target", "simulated"),
    ],
)
def test_what_cannot_be_meant_is_said(luthier: Luthier, words: tuple[str, ...]) -> None:
    assert "is not" in luthier.run(*words, status=2).stderr
