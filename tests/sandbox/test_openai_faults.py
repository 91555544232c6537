"""Every fault that can be ordered, once, as the real SDK meets it."""

import httpx
import pytest
from openai import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APITimeoutError,
    AsyncOpenAI,
    AsyncStream,
    AuthenticationError,
    BadRequestError,
    InternalServerError,
    PermissionDeniedError,
    RateLimitError,
)
from openai.types.chat import ChatCompletionChunk

from app.sandbox.frame.faults import Cut, Failure, Garbage, Hang, Reset, Slow, too_many_requests
from app.sandbox.openai.conditions import Closed
from app.sandbox.openai.simulator import SimulatedOpenAI
from tests.api.given import pause
from tests.sandbox import given

JOBS = "/v1/fine_tuning/jobs"
CHAT = "/v1/chat/completions"


async def test_a_failure_before_the_effect_creates_nothing(
    openai: AsyncOpenAI, simulated: SimulatedOpenAI
) -> None:
    simulated.order(Failure(status=503), JOBS, method="POST")

    with pytest.raises(InternalServerError):
        await given.a_job(openai)

    assert simulated.jobs == []


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Failure(status=500, after_effect=True), InternalServerError),
        (Reset(during="effect"), APIConnectionError),
        (Reset(during="answer"), APIConnectionError),
        (Garbage(after_effect=True), APIError),
    ],
)
async def test_an_answer_is_lost_after_the_job_was_created(
    openai: AsyncOpenAI,
    simulated: SimulatedOpenAI,
    fault: Failure | Reset | Garbage,
    error: type[APIError],
) -> None:
    simulated.order(fault, JOBS, method="POST")

    with pytest.raises((error, ValueError)):
        await given.a_job(openai, metadata={"key": "a"})

    assert simulated.creations("key") == {"a": 1}
    assert (simulated.requests[-1].status, simulated.requests[-1].fault) == (200, fault.kind)


async def test_the_sdk_creates_again_when_it_may_retry(
    openai: AsyncOpenAI, simulated: SimulatedOpenAI
) -> None:
    simulated.order(Failure(status=500, after_effect=True), JOBS, method="POST")

    await given.a_job(openai.with_options(max_retries=1), metadata={"key": "a"})

    assert simulated.creations("key") == {"a": 2}


@pytest.mark.parametrize(
    ("fault", "header"),
    [
        (too_many_requests(seconds=2), ("retry-after", "2")),
        (too_many_requests(milliseconds=1500), ("retry-after-ms", "1500")),
    ],
)
async def test_too_many_requests(
    openai: AsyncOpenAI, simulated: SimulatedOpenAI, fault: Failure, header: tuple[str, str]
) -> None:
    simulated.order(fault, JOBS)

    with pytest.raises(RateLimitError) as refusal:
        await openai.fine_tuning.jobs.list()

    assert refusal.value.response.headers[header[0]] == header[1]
    assert refusal.value.code == "rate_limit_exceeded"


async def test_an_upload_breaks_off(openai: AsyncOpenAI, simulated: SimulatedOpenAI) -> None:
    simulated.order(Reset(during="upload"), "/v1/files")

    with pytest.raises(APIConnectionError):
        await given.a_file(openai, given.supervised() * 10_000)

    assert [file async for file in openai.files.list()] == []


@pytest.mark.parametrize("after_effect", [False, True])
async def test_no_answer_comes(
    openai: AsyncOpenAI, simulated: SimulatedOpenAI, after_effect: bool
) -> None:
    file_id = await given.a_file(openai)
    simulated.order(Hang(after_effect=after_effect), JOBS)

    with pytest.raises(APITimeoutError):
        await openai.with_options(timeout=0.5).fine_tuning.jobs.create(
            model=given.BASE, training_file=file_id
        )

    # The client may have gone before the server came to it.
    while len(simulated.jobs) != after_effect:
        await pause()


async def test_a_slow_answer_arrives(openai: AsyncOpenAI, simulated: SimulatedOpenAI) -> None:
    file_id = await given.a_file(openai)
    simulated.order(Slow(bytes=50, seconds=0.001), f"/v1/files/{file_id}/content")

    content = await openai.files.content(file_id)

    assert content.content == given.supervised()


async def test_a_stream_ends_too_early(openai: AsyncOpenAI, simulated: SimulatedOpenAI) -> None:
    simulated.order(Cut(pieces=2), CHAT)

    chunks = [chunk async for chunk in await _stream(openai)]

    assert len(chunks) == 2
    assert chunks[-1].choices[0].finish_reason is None


async def test_a_stream_breaks(openai: AsyncOpenAI, simulated: SimulatedOpenAI) -> None:
    simulated.order(Reset(during="answer", pieces=2), CHAT)

    with pytest.raises((APIConnectionError, httpx.HTTPError, OSError)):
        _ = [chunk async for chunk in await _stream(openai)]


async def test_garbage_is_no_list(openai: AsyncOpenAI, simulated: SimulatedOpenAI) -> None:
    simulated.order(Garbage(), JOBS)

    with pytest.raises((APIResponseValidationError, ValueError)):
        await openai.fine_tuning.jobs.list()


async def test_a_fault_waits_for_its_turn(openai: AsyncOpenAI, simulated: SimulatedOpenAI) -> None:
    simulated.order(Failure(status=502), JOBS, skip=1, times=2)
    outcomes: list[bool] = []

    for _ in range(4):
        try:
            await openai.fine_tuning.jobs.list()
            outcomes.append(True)
        except InternalServerError:
            outcomes.append(False)

    assert outcomes == [True, False, False, True]


async def test_a_list_lags_behind(openai: AsyncOpenAI, simulated: SimulatedOpenAI) -> None:
    simulated.change(listing_lag={"lists": 2})
    job = await given.a_job(openai)

    lengths = [len((await openai.fine_tuning.jobs.list()).data) for _ in range(3)]

    assert lengths == [0, 0, 1]
    assert (await openai.fine_tuning.jobs.retrieve(job.id)).id == job.id


async def test_a_list_lags_by_the_clock(openai: AsyncOpenAI, simulated: SimulatedOpenAI) -> None:
    simulated.change(listing_lag={"seconds": 30})
    await given.a_job(openai)

    before = await openai.fine_tuning.jobs.list()
    simulated.pass_time(31)
    after = await openai.fine_tuning.jobs.list()

    assert (len(before.data), len(after.data)) == (0, 1)


async def test_a_key_expires(openai: AsyncOpenAI, simulated: SimulatedOpenAI) -> None:
    simulated.change(expired_keys=["sk-test"])

    with pytest.raises(AuthenticationError) as refusal:
        await openai.fine_tuning.jobs.list()

    assert refusal.value.code == "invalid_api_key"


async def test_a_status_that_nobody_knows(openai: AsyncOpenAI, simulated: SimulatedOpenAI) -> None:
    job = await given.a_job(openai)

    simulated.change(shown_status={"*": "calibrating"})

    assert (await openai.fine_tuning.jobs.retrieve(job.id)).status == "calibrating"
    assert (await openai.fine_tuning.jobs.list()).data[0].status == "calibrating"


@pytest.mark.parametrize(
    ("closed", "error"),
    [(Closed(), PermissionDeniedError), (Closed(status=400), BadRequestError)],
)
async def test_creation_is_closed(
    openai: AsyncOpenAI, simulated: SimulatedOpenAI, closed: Closed, error: type[Exception]
) -> None:
    simulated.change(closed=closed)

    with pytest.raises(error, match="no longer create"):
        await given.a_job(openai)

    assert simulated.jobs == []


async def test_the_vendor_goes_away_and_comes_back(
    openai: AsyncOpenAI, simulated: SimulatedOpenAI
) -> None:
    job = await given.a_job(openai)

    simulated.stop()
    with pytest.raises(APIConnectionError):
        await openai.fine_tuning.jobs.retrieve(job.id)
    simulated.start()

    assert (await openai.fine_tuning.jobs.retrieve(job.id)).id == job.id


async def _stream(openai: AsyncOpenAI) -> AsyncStream[ChatCompletionChunk]:
    return await openai.chat.completions.create(
        model=given.BASE, messages=[{"role": "user", "content": "Hello"}], stream=True
    )
