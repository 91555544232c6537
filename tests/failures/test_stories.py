"""Where each story is told: the tests that hold for it, by number."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

STORIES: Mapping[str, Sequence[str]] = {
    "F1 the process dies before it has saved the paid job's id": (
        "chaos/test_once.py::test_f1_one_job_is_paid_wherever_the_service_dies",
        "crash/test_a_killed_service.py::test_f1_a_job_ends_well_wherever_the_service_was_killed",
    ),
    "F2 a double click makes two jobs": (
        "api/test_idempotency.py::test_twenty_at_once_create_one",
        "crash/test_many_jobs.py::test_f2_requests_that_a_crash_cut_off_may_be_repeated",
    ),
    "F3 a restart loses jobs": ("crash/test_many_jobs.py::test_f3_many_jobs_outlive_a_crash",),
    "F4 unreachable is taken for failed": (
        "crash/test_an_unreachable_vendor.py"
        "::test_f4_a_vendor_out_of_reach_for_long_makes_a_job_stale_and_nothing_else",
        "domain/test_decide.py::test_silence_makes_a_job_stale_and_never_failed",
    ),
    "F5 the status never moves": (
        "crash/test_killed_trainings.py"
        "::test_f5_a_training_whose_trainers_die_at_one_place_fails_and_makes_room",
    ),
    "F6 a cancel is lost": (
        "crash/test_a_killed_service.py"
        "::test_f6_a_cancel_is_carried_out_though_the_service_was_killed_over_it",
        "crash/test_a_wish_in_between.py"
        "::test_f6_a_cancel_while_the_job_is_being_submitted_is_kept",
    ),
    "F7 success is reported on failure": (
        "domain/test_decide.py::test_success_without_a_model_is_a_failure",
        "domain/test_decide.py::test_a_model_that_does_not_answer_is_a_failure",
    ),
    "F8 the format is wrong, after the upload": (
        "datasets/test_compile_api.py::test_a_job_needs_a_dataset_that_compiles",
    ),
    "F9 a parameter is legal, and not for the base model": (
        "api/test_job_creation.py::test_what_cannot_work_is_refused",
    ),
    "F10 the bill is a surprise": (
        "api/test_quotes.py::test_a_job_over_its_budget_is_refused",
        "conformance/test_provider.py::test_a_look_only_reads",
    ),
    "F11 a deployment disappears": (
        "providers/azure_openai/test_deployments.py::test_one_that_azure_removed_is_seen",
    ),
    "F12 the base model is retired": (
        "api/test_quotes.py::test_what_is_over_is_told_before_anything_is_sent",
    ),
    "F13 the tuned model cannot be called": (
        "conformance/test_provider.py::test_the_tuned_model_answers_until_it_is_deleted",
    ),
    "F14 training and serving use two templates": (
        "local/test_rendering.py::test_training_stands_on_the_very_prompt_of_serving",
    ),
    "F15 a reload of the page loses the run": (
        "api/test_job_events.py::test_a_stream_goes_on_from_every_position",
    ),
    "F16 a provider's raw ids lead to what is another's": (
        "failures/test_raw_ids.py::test_f16_a_providers_own_id_leads_nowhere",
        "imports/test_files_and_models.py::test_who_cannot_be_asked_is_told",
    ),
}


@pytest.mark.parametrize("story", STORIES)
def test_every_story_is_told(story: str) -> None:
    for name in STORIES[story]:
        file, _, test = name.partition("::")
        assert re.search(rf"def {test}\b", (TESTS / file).read_text()), name


def test_no_number_is_left_out() -> None:
    assert [story.split()[0] for story in STORIES] == [f"F{n}" for n in range(1, 17)]
