"""`luthier aliases`, `ledger` and `models retiring`: names for models, and what they cost."""

import csv

from tests.cli.conftest import Luthier
from tests.cli.test_jobs import create

BASE = "simulated/sim-base"


def test_an_alias_is_put_moved_and_rolled_back(luthier: Luthier, tuned: str) -> None:
    assert luthier.run("aliases", "put", "a@prod", BASE).stdout == f"a@prod -> {BASE}\n"
    assert luthier.run("aliases", "put", "a@prod", tuned).stdout == f"a@prod -> {tuned}\n"
    assert luthier.run("models", "ask", "a@prod", "say 3").stdout == "say 3\n"
    assert luthier.run("aliases", "rollback", "a@prod").stdout == f"a@prod -> {BASE}\n"

    decisions = luthier.run("aliases", "history", "a@prod").stdout.splitlines()

    assert [line.split("\t")[1:5] for line in decisions] == [
        ["rolled_back", "api", tuned, BASE],
        ["moved", "api", BASE, tuned],
        ["created", "api", "", BASE],
    ]
    assert "nothing_to_roll_back" in luthier.run("aliases", "rollback", "a@prod", status=1).stderr


def test_an_alias_with_a_gate_stays_without_its_evaluation(luthier: Luthier, tuned: str) -> None:
    gate = ("--gate", "metric=exact_match", "--gate", "min_delta=0.1")
    luthier.run("aliases", "put", "b@prod", BASE, *gate)

    refused = luthier.run("aliases", "put", "b@prod", tuned, status=1).stderr

    assert "gate_not_met" in refused
    assert "exact_match better by 0.1 or more, 95 % sure\n" in (
        luthier.run("aliases", "show", "b@prod").stdout
    )
    assert luthier.ask("aliases", "put", "b@prod", BASE, "--no-gate")["gate"] is None
    assert luthier.ask("aliases", "put", "b@prod", tuned)["model"] == tuned


def test_an_alias_is_listed_and_forgotten(luthier: Luthier) -> None:
    luthier.run("aliases", "put", "c@prod", BASE)

    (line,) = luthier.run("aliases", "list", "--limit", "1").stdout.splitlines()

    assert line.split("\t")[:2] == ["c@prod", BASE]
    assert luthier.run("aliases", "delete", "c@prod").stdout == ""
    assert "alias_not_found" in luthier.run("aliases", "show", "c@prod", status=1).stderr


def test_a_gate_is_given_or_taken_away(luthier: Luthier) -> None:
    both = ("--gate", "metric=f1", "--no-gate")

    assert "not both" in luthier.run("aliases", "put", "d", BASE, *both, status=2).stderr


def test_the_ledger_has_lines_sums_and_csv(luthier: Luthier, dataset: str) -> None:
    job = create(luthier, dataset, "--tag", "team:ledger")

    lines = luthier.run("ledger", "--from", "2026-01-01", "--limit", "1").stdout.splitlines()
    sums = luthier.run("ledger", "--group", "tag:team").stdout.splitlines()
    rows = list(csv.DictReader(luthier.run("ledger", "--csv").stdout.splitlines()))

    assert lines[0].split("\t")[1:3] == ["training", BASE]
    assert lines[0].split("\t")[-1] == job
    assert [line.split("\t")[:2] for line in sums if "ledger" in line] == [["ledger", "1"]]
    assert job in [row["job"] for row in rows]


def test_the_ledgers_file_is_csv(luthier: Luthier) -> None:
    assert "add --csv" in luthier.run("ledger", "-o", "lines.csv", status=2).stderr


def test_models_that_retire_are_told(luthier: Luthier, tuned: str) -> None:
    assert tuned not in luthier.run("models", "retiring", "--within", "30d").stdout
    assert "invalid_request" in luthier.run("models", "retiring", "--within", "x", status=1).stderr
