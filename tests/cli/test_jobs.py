"""`luthier jobs`, `models`, `eval` and `providers`: from a job to what its model is worth."""

import json

from tests.cli.conftest import Luthier
from tests.simulated.simulated_provider import SimulatedProvider

RECIPE = ("--provider", "simulated", "--base-model", "sim-base")


def create(luthier: Luthier, dataset: str, *more: str) -> str:
    """The id of a queued job."""
    return luthier.run("jobs", "create", *RECIPE, "--dataset", dataset, *more).stdout.strip()


def test_a_job_is_made_as_it_was_asked_for(luthier: Luthier, dataset: str) -> None:
    wishes = ("--set", "epochs=2", "--seed", "7", "--tag", "team:care", "--name", "mine")

    job = luthier.ask("jobs", "show", create(luthier, dataset, *wishes, "--budget-usd", "5000"))

    assert job["method"] == {"type": "sft", "hyperparameters": {"epochs": 2}}
    assert (job["seed"], job["tags"], job["name"]) == (7, {"team": "care"}, "mine")
    assert job["cost"]["budget_usd"] == "5000"


def test_a_watched_job_ends_with_its_model(luthier: Luthier, dataset: str) -> None:
    id = create(luthier, dataset)

    lines = luthier.run("jobs", "watch", id).stdout.splitlines()

    assert lines[-1].startswith("model_")
    assert lines[-2].startswith("succeeded  100 %")
    assert luthier.ask("jobs", "watch", id)["tuned_model"] == lines[-1]
    assert f"  {lines[-1]}\n" in luthier.run("jobs", "show", id).stdout


def test_a_job_that_fails_says_why(
    luthier: Luthier, dataset: str, vendor_of_all: SimulatedProvider
) -> None:
    vendor_of_all.order("submit", "refuse")

    watched = luthier.run("jobs", "watch", create(luthier, dataset), status=1)

    assert "luthier: refused: The vendor refuses.\n  Ask for something else.\n" in watched.stderr


def test_jobs_are_found_by_their_tags(luthier: Luthier, dataset: str) -> None:
    id = create(luthier, dataset, "--tag", "case:found")

    (line,) = luthier.run("jobs", "list", "--tag", "case:found").stdout.splitlines()

    assert line.split("\t")[0] == id
    assert line.split("\t")[2:4] == ["simulated/sim-base", "echo@1"]


def test_events_are_listed_and_followed_to_the_end(luthier: Luthier, dataset: str) -> None:
    id = create(luthier, dataset)

    followed = luthier.run("jobs", "events", id, "--follow").stdout.splitlines()
    listed = luthier.run("jobs", "events", id).stdout.splitlines()
    raw = luthier.run("jobs", "events", id, "--follow", "--json").stdout.splitlines()

    assert followed == listed
    assert [json.loads(line)["seq"] for line in raw] == list(range(1, len(listed) + 1))
    assert "job.created" in listed[0]


def test_a_wish_is_told_with_the_state(luthier: Luthier, dataset: str) -> None:
    id = create(luthier, dataset)
    luthier.run("jobs", "watch", id)

    for wish in ("cancel", "pause", "resume"):
        assert "job_finished" in luthier.run("jobs", wish, id, status=1).stderr
    assert luthier.run("jobs", "logs", id).stdout.startswith("training sim-")


def test_a_model_is_shown_asked_and_deleted(luthier: Luthier, tuned: str) -> None:
    question = ("models", "ask", tuned, "say what?")

    assert luthier.run(*question).stdout == "say what?\n"
    assert luthier.run(*question, "--stream").stdout == "saywhat?\n"
    assert luthier.ask(*question, "--system", "Be brief.")["object"] == "chat.completion"
    assert tuned in luthier.run("models", "list").stdout
    assert "  simulated/sim-base\n" in luthier.run("models", "show", tuned).stdout
    assert luthier.run("models", "delete", tuned).stdout == ""
    assert "model_not_found" in luthier.run("models", "show", tuned, status=1).stderr


def test_an_evaluation_compares_and_lists_the_worst(
    luthier: Luthier, dataset: str, tuned: str
) -> None:
    candidates = ("simulated/sim-base", tuned)

    ran = luthier.run("eval", "run", dataset, *candidates, "--metric", "exact_match")
    id = ran.stderr.partition(":")[0]
    worst = luthier.run("eval", "examples", id, "--sort", "worst", "--limit", "1")

    assert "simulated/sim-base\texact_match\t0.000" in ran.stdout
    assert f"{tuned}\texact_match\t1.000" in ran.stdout
    assert f"{tuned} against simulated/sim-base: exact_match +1.000" in ran.stdout
    assert luthier.run("eval", "show", id).stdout == ran.stdout
    assert luthier.ask("eval", "show", id)["status"] == "succeeded"
    assert "I do not know." in worst.stdout
    assert "There is more: --cursor" in worst.stderr


def test_providers_tell_what_they_have(luthier: Luthier) -> None:
    listed = luthier.run("providers", "list").stdout
    shown = luthier.run("providers", "show", "simulated").stdout
    models = luthier.run("providers", "models", "simulated").stdout

    assert listed == "simulated\tA simulated vendor\tyes\topen\tdpo, sft\n"
    assert "  dpo, sft\n" in shown
    assert models.splitlines()[0].split("\t")[:2] == ["sim-base", "sft, dpo"]
