"""Trainings at OpenAI: files, methods, and what the vendor refuses."""

from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.domain.errors import Later, Never, Steer, YourTurn
from app.domain.jobs import Method
from app.domain.provider import Connection, RemoteState
from app.providers.openai import SPEC, OpenAIOptions
from app.providers.openai.provider import OpenAIProvider
from app.providers.openai_wire.files import Files
from app.providers.openai_wire.sending import SentFile
from app.sandbox.frame.faults import Failure, Garbage, Reset, too_many_requests
from app.sandbox.frame.listing import Lag
from app.sandbox.openai.conditions import Closed
from app.sandbox.openai.simulator import SimulatedOpenAI
from tests.conformance.openai_stage import OpenAIStage
from tests.conformance.stage import Lines, chats, plan
from tests.providers.openai_wire.test_hyperparameters import GRADER

FILES = "/v1/files"
JOBS = "/v1/fine_tuning/jobs"


def _uploads(simulated: SimulatedOpenAI) -> int:
    return sum(seen.method == "POST" and seen.path == FILES for seen in simulated.requests)


def _preferences() -> Lines:
    example = {
        "prompt": [{"role": "user", "content": "Hi"}],
        "chosen": [{"role": "assistant", "content": "Hello!"}],
        "rejected": [{"role": "assistant", "content": "What?"}],
    }
    return Lines([msgspec.json.encode(example)] * 12)


async def test_the_same_examples_are_uploaded_once(
    stage: OpenAIStage, provider: OpenAIProvider
) -> None:
    await provider.submit(plan(stage))
    await provider.submit(plan(stage, "job-2-1"))

    assert _uploads(stage.simulated) == 1
    assert len({job.training_file for job in stage.simulated.jobs}) == 1


async def test_a_file_whose_upload_was_cut_is_found_again(
    stage: OpenAIStage, provider: OpenAIProvider
) -> None:
    stage.simulated.order(Reset(during="effect"), FILES, method="POST")

    with pytest.raises(Later):
        await provider.submit(plan(stage))
    await provider.submit(plan(stage))

    assert _uploads(stage.simulated) == 1


async def test_the_create_waits_until_the_files_are_read(
    stage: OpenAIStage, provider: OpenAIProvider
) -> None:
    stage.simulated.change(file_looks=2)

    with pytest.raises(Later):
        await provider.submit(plan(stage))
    await provider.submit(plan(stage))

    assert stage.creations("job-1-1") == 1


async def test_a_file_that_was_removed_is_uploaded_again(
    stage: OpenAIStage, provider: OpenAIProvider
) -> None:
    stage.simulated.order(too_many_requests(), JOBS, method="POST")
    with pytest.raises(Later):
        await provider.submit(plan(stage))
    async with stage.vendor() as vendor:
        (file,) = (await vendor.files.list()).data
        await vendor.files.delete(file.id)

    with pytest.raises(Later):
        await provider.submit(plan(stage))
    await provider.submit(plan(stage))

    assert _uploads(stage.simulated) == 2


async def test_a_file_over_the_limit_goes_in_parts(stage: OpenAIStage) -> None:
    sent = SentFile(".")
    sent.write(b'{"messages": []}\n' * 100)
    async with stage.vendor() as vendor:
        files = Files(vendor, largest_file=1000, part_bytes=700)

        file_id = await files.put(sent)

        assert await files.content(file_id) == b'{"messages": []}\n' * 100
        assert await files.put(sent) == file_id
    parts = [seen for seen in stage.simulated.requests if seen.path.endswith("/parts")]
    assert len(parts) == 3


async def test_key_seed_and_name_go_with_the_job(
    stage: OpenAIStage, provider: OpenAIProvider
) -> None:
    await provider.submit(plan(stage, name="Wetter für Köln!", seed=2**40 + 5))

    (job,) = stage.simulated.jobs
    assert job.metadata == {"luthier_key": "job-1-1"}
    assert (job.seed, job.suffix) == (5, "Wetter-f-r-K-ln")


@pytest.mark.parametrize(
    ("method", "base_model", "training"),
    [
        (Method("dpo", {"beta": 0.2}), "gpt-4.1-mini-2025-04-14", _preferences()),
        (Method("rft", {"grader": GRADER}), "o4-mini-2025-04-16", chats()),
    ],
)
async def test_other_methods_go_all_the_way(
    stage: OpenAIStage, provider: OpenAIProvider, method: Method, base_model: str, training: Lines
) -> None:
    given = plan(stage, method=method, base_model=base_model, training=training)
    remote = await provider.submit(given)
    stage.finish(remote)

    seen = await provider.observe(remote, None)

    assert seen.state is RemoteState.SUCCEEDED
    assert seen.metrics


async def test_a_list_that_lags_and_a_filter_that_lags_find_it_in_the_end(
    stage: OpenAIStage, provider: OpenAIProvider
) -> None:
    stage.simulated.change(listing_lag=Lag(lists=1))
    await provider.submit(plan(stage))

    assert await provider.find("job-1-1") is not None


async def test_of_two_jobs_with_one_key_the_older_is_adopted(
    stage: OpenAIStage, provider: OpenAIProvider
) -> None:
    first = await provider.submit(plan(stage))
    stage.simulated.pass_time(5)
    await provider.submit(plan(stage))

    found = await provider.find("job-1-1")

    assert found is not None
    assert found.id == first.id


async def test_an_unreadable_list_is_not_an_empty_one(
    stage: OpenAIStage, provider: OpenAIProvider
) -> None:
    await provider.submit(plan(stage))
    stage.simulated.order(Garbage(), JOBS, method="GET", times=2)
    stage.simulated.order(Garbage(body="<html>"), JOBS, method="GET")
    stage.simulated.order(Garbage(body='"?"', media_type="text/plain"), JOBS, method="GET")

    for _ in range(4):
        with pytest.raises(Exception) as silence:  # noqa: PT011 - anything but an answer
            await provider.find("job-1-1")
        assert not isinstance(silence.value, Steer)
    assert await provider.find("job-1-1") is not None


async def test_an_unreadable_answer_to_a_create_promises_nothing(
    stage: OpenAIStage, provider: OpenAIProvider
) -> None:
    stage.simulated.order(Garbage(body="{}", after_effect=True), JOBS, method="POST")

    with pytest.raises(Exception, match="cannot be read"):
        await provider.submit(plan(stage))
    assert await provider.find("job-1-1") is not None


@pytest.mark.parametrize("status", [400, 403])
async def test_closed_creation_says_where_to_go(
    stage: OpenAIStage, provider: OpenAIProvider, status: Any
) -> None:
    stage.simulated.change(closed=Closed(status=status, code=None))

    with pytest.raises(Never) as never:
        await provider.submit(plan(stage))

    assert never.value.code == "creation_closed"
    assert "elsewhere" in str(never.value.hint)


async def test_a_retired_base_model_is_told(stage: OpenAIStage, provider: OpenAIProvider) -> None:
    stage.simulated.change(shutdown_dates={stage.base_model: date(2020, 1, 1)})

    with pytest.raises(Never) as never:
        await provider.submit(plan(stage))

    assert never.value.code == "base_model_retired"


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        (Failure(status=400, code="model_not_available"), Never),
        (Failure(status=429, code="insufficient_quota"), YourTurn),
        (Failure(status=403, message="Missing scopes: api.fine_tuning.write"), YourTurn),
        (Failure(status=422, code="odd"), Never),
        (too_many_requests(milliseconds=1500), Later),
    ],
)
async def test_a_refused_create_is_one_of_three_words(
    stage: OpenAIStage, provider: OpenAIProvider, fault: Failure, word: type[Exception]
) -> None:
    stage.simulated.order(fault, JOBS, method="POST")

    with pytest.raises(word):
        await provider.submit(plan(stage))
    assert stage.creations("job-1-1") == 0


@pytest.mark.parametrize("status", [408, 409, 500, 503])
async def test_what_may_have_been_carried_out_is_no_refusal(
    stage: OpenAIStage, provider: OpenAIProvider, status: int
) -> None:
    fault = Failure(status=status, after_effect=True)
    stage.simulated.order(fault, JOBS, method="POST")

    with pytest.raises(Exception, match="error while processing"):
        await provider.submit(plan(stage))
    assert stage.creations("job-1-1") == 1


async def test_a_file_that_the_vendor_rejects_fails_the_job(
    stage: OpenAIStage, provider: OpenAIProvider
) -> None:
    remote = await provider.submit(plan(stage, training=chats(3)))
    stage.begin(remote)

    seen = await provider.observe(remote, None)

    assert seen.error is not None
    assert seen.error.code == "invalid_n_examples"
    assert seen.error.hint


async def test_a_disk_that_takes_nothing_is_tried_later(stage: OpenAIStage, tmp_path: Path) -> None:
    options = OpenAIOptions.model_validate({"api_key": "sk-x", "base_url": stage.simulated.url})
    connection = Connection("openai", options, str(tmp_path / "nowhere"))

    with pytest.raises(Later):
        await OpenAIProvider(SPEC, connection).submit(plan(stage))


async def test_a_base_model_that_the_catalogue_forgot_is_for_the_vendor_to_judge(
    stage: OpenAIStage, provider: OpenAIProvider
) -> None:
    with pytest.raises(Never) as never:
        await provider.submit(plan(stage, base_model="gpt-9"))

    assert never.value.code == "base_model_retired"


async def test_examples_that_would_be_refused_are_not_sent(
    stage: OpenAIStage, provider: OpenAIProvider
) -> None:
    spoiled = Lines([line.replace(b"doubled", b"<|im_end|>") for line in chats().lines])

    with pytest.raises(Never) as never:
        await provider.submit(plan(stage, training=spoiled))

    assert never.value.code == "dataset_unfit"
    assert _uploads(stage.simulated) == 0
