"""`luthier models migrate`, `card` and `export`, and `luthier compare`."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.main import cli
from tests.cli.conftest import Luthier

ELSEWHERE = ("--provider", "simulated", "--base-model", "sim-sft-only")
BASES = ("simulated/sim-base", "simulated/sim-sft-only")


@pytest.fixture
def plan(tuned: str, held_out: str) -> tuple[str, ...]:
    """The words that migrate a model."""
    return ("models", "migrate", tuned, *ELSEWHERE, "--evaluate", held_out)


def test_a_dry_run_shows_the_plan_and_creates_nothing(
    luthier: Luthier, plan: tuple[str, ...], tuned: str
) -> None:
    before = luthier.run("jobs", "list").stdout

    told = luthier.run(*plan, "--dry-run").stdout

    assert told.startswith("fits simulated/sim-sft-only (sft)\n")
    assert f"replaces       {tuned}\n" in told
    assert "held out       held-out@1 (request)\n" in told
    assert "cost           " in told
    assert luthier.ask(*plan, "--dry-run")["job"] is None
    assert luthier.run("jobs", "list").stdout == before


def test_a_migration_asks_before_it_begins(luthier: Luthier, plan: tuple[str, ...]) -> None:
    refused = CliRunner().invoke(cli, plan, env=luthier.environment, input="n\n")
    begun = CliRunner().invoke(cli, plan, env=luthier.environment, input="y\n")

    assert refused.exit_code == 1
    assert "Train simulated/sim-sft-only for" in refused.stderr
    assert "job_" not in refused.stdout
    assert begun.stdout.splitlines()[-1].startswith("job_")


def test_a_program_says_yes_or_is_refused(luthier: Luthier, plan: tuple[str, ...]) -> None:
    assert "give --yes" in luthier.run(*plan, "--json", status=2).stderr
    assert luthier.ask(*plan, "--yes")["job"]["id"].startswith("job_")


def test_what_does_not_fit_ends_before_a_question(luthier: Luthier, plan: tuple[str, ...]) -> None:
    refused = luthier.run(*plan, "--set", "epochs=99", status=1)

    assert "epochs" in refused.output
    assert "[y/N]" not in refused.output


def test_a_card_is_read_or_taken_as_json(luthier: Luthier, tuned: str) -> None:
    read = luthier.run("models", "card", tuned).stdout

    assert tuned in read
    assert luthier.ask("models", "card", tuned)["model"]["id"] == tuned


def test_weights_that_are_elsewhere_leave_no_file(
    luthier: Luthier, tuned: str, tmp_path: Path
) -> None:
    file = tmp_path / "weights.tar"

    refused = luthier.run("models", "export", tuned, "-o", str(file), status=1)

    assert "operation_not_supported" in refused.stderr
    assert list(tmp_path.glob("weights*")) == []


def test_a_comparison_ends_with_a_table(luthier: Luthier, dataset: str, held_out: str) -> None:
    id = luthier.run(
        "compare", "create", dataset, *BASES, "--evaluate", held_out, "--name", "which"
    ).stdout.strip()

    watched = luthier.run("compare", "watch", id)

    rows = [line.split("\t") for line in watched.stdout.splitlines() if "\t" in line]
    assert [row[0] for row in rows] == list(BASES)
    assert all(row[1].startswith("model_") for row in rows)
    assert "succeeded: " in watched.stderr
    assert luthier.run("compare", "show", id).stdout == watched.stdout
    assert id in luthier.run("compare", "list").stdout
    assert luthier.run("compare", "cancel", id, status=1).stderr.startswith("luthier: ")


def test_a_target_is_a_provider_and_a_base_model(luthier: Luthier) -> None:
    refused = luthier.run("compare", "create", "x", "sim-base", "--evaluate", "y", status=2)

    assert "is not PROVIDER/BASE_MODEL" in refused.stderr


def test_an_alias_that_names_the_model_moves_unless_told_otherwise(
    luthier: Luthier, plan: tuple[str, ...], tuned: str
) -> None:
    luthier.run("aliases", "put", "moving@prod", tuned)
    named = ("models", "migrate", "moving@prod", *plan[3:], "--dry-run")

    assert luthier.ask(*named)["plan"]["promote"] == {"alias": "moving@prod"}
    assert luthier.ask(*named, "--no-promote")["plan"]["promote"] is None
    assert "not both" in luthier.run(*named, "--no-promote", "--promote", "a", status=2).stderr
