"""The one thread that generates: it takes what waits for the same model together."""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import torch

from app.providers.local.inference.errors import InferenceRejected
from app.providers.local.inference.events import Event, Failed, Finished, Progress, Started
from app.providers.local.inference.generation import Row, generate
from app.providers.local.inference.handles import ModelHandle
from app.providers.local.inference.loading import Voice
from app.providers.local.inference.requests import ChatRequest
from app.providers.local.inference.sampling import Chooser
from app.providers.local.inference.shelf import ModelShelf
from app.providers.local.inference.text import TextStream
from app.providers.local.rendering import Unrenderable, render_prompt

logger = logging.getLogger(__name__)

_ROWS_PER_BATCH = 16
_PROMPT_TOKENS_PER_BATCH = 32_768  # padding included; bounds the memory of the first step
_GATHER_SECONDS = 0.01  # what the first request waits for others that come with it
_GREEDY_BELOW = 1e-3  # a temperature under which sampling is greedy but for overflows
_UNASKED_LIMIT = 4096  # tokens, where neither the request nor the model names a limit
_CLOSE_SECONDS = 5.0


@dataclass(eq=False, slots=True)
class _Job:
    handle: ModelHandle
    request: ChatRequest
    post: Callable[[Event], object]
    cancelled: threading.Event = field(default_factory=threading.Event)

    def tell(self, event: Event) -> None:
        # Who has cancelled may have closed the event loop, too.
        if not self.cancelled.is_set():
            self.post(event)


class Engine:
    """Answers requests in the order of the oldest one, those for one model in batches."""

    def __init__(self, shelf: ModelShelf, *, threads: int | None) -> None:
        self._shelf = shelf
        self._threads = threads
        self._changed = threading.Condition()
        self._waiting: deque[_Job] = deque()
        self._answering: list[_Job] = []
        self._open = 0
        self._closed = False
        self._used_at = time.monotonic()
        self._thread = threading.Thread(target=self._work, name="generation", daemon=True)
        self.largest_batch = 0
        """The most rows that were answered together so far."""

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """Break off what is being answered and refuse the rest."""
        with self._changed:
            self._closed = True
            for job in [*self._waiting, *self._answering]:
                job.tell(Failed(InferenceRejected(503, "shutting_down", "The worker is stopping.")))
                job.cancelled.set()
            self._changed.notify_all()
        self._thread.join(_CLOSE_SECONDS)

    @property
    def quiet_seconds(self) -> float:
        """How long nobody has waited for an answer."""
        return 0.0 if self._open else time.monotonic() - self._used_at

    @contextmanager
    def answer(
        self, handle: ModelHandle, request: ChatRequest
    ) -> Generator[AsyncIterator[Progress]]:
        """The events of one answer, up to its end; leaving the context cancels it.

        Call it on the event loop. The iterator raises InferenceRejected.
        """
        loop = asyncio.get_running_loop()
        events: asyncio.Queue[Event] = asyncio.Queue()
        job = _Job(handle, request, partial(loop.call_soon_threadsafe, events.put_nowait))
        self._open += 1
        self._enqueue(job)
        try:
            yield _until_end(events)
        finally:
            job.cancelled.set()
            self._open -= 1
            self._used_at = time.monotonic()

    def _enqueue(self, job: _Job) -> None:
        with self._changed:
            self._waiting.append(job)
            self._changed.notify_all()

    def _work(self) -> None:
        if self._threads:
            torch.set_num_threads(self._threads)
        while jobs := self._next_jobs():
            self._answer_all(jobs)

    def _next_jobs(self) -> list[_Job]:
        """The oldest request and others for its model; blocks, and is empty only once closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            self._changed.wait_for(
                lambda: len(self._waiting) >= _ROWS_PER_BATCH or self._closed, _GATHER_SECONDS
            )
            if self._closed:
                return []
            handle = self._waiting[0].handle
            same = [job for job in self._waiting if job.handle == handle][:_ROWS_PER_BATCH]
            self._waiting = deque(job for job in self._waiting if job not in same)
            self._answering = same
            return same

    def _answer_all(self, jobs: Sequence[_Job]) -> None:
        try:
            wanted = [job for job in jobs if not job.cancelled.is_set()]
            if wanted:
                self._generate(wanted)
        except InferenceRejected as error:
            _fail(jobs, error)
        except torch.OutOfMemoryError as error:
            message = f"The device's memory does not hold this answer: {error}"
            _fail(jobs, InferenceRejected(503, "out_of_memory", message))
        except Exception as error:
            logger.exception("generation failed")
            message = f"Generation failed: {type(error).__name__}: {error}"
            _fail(jobs, InferenceRejected(500, "generation_failed", message))

    def _generate(self, jobs: Sequence[_Job]) -> None:
        with self._shelf.open(jobs[0].handle) as voice:
            rows = [row for job in jobs if (row := _prepare(job, voice)) is not None]
            for batch in _batches(rows, most=_ROWS_PER_BATCH if voice.batches else 1):
                self.largest_batch = max(self.largest_batch, len(batch))
                generate(voice.weights, batch)


async def _until_end(events: "asyncio.Queue[Event]") -> AsyncIterator[Progress]:
    while True:
        event = await events.get()
        if isinstance(event, Failed):
            raise event.error
        yield event
        if isinstance(event, Finished):
            return


def _fail(jobs: Sequence[_Job], error: InferenceRejected) -> None:
    for job in jobs:
        job.tell(Failed(error))


def _prepare(job: _Job, voice: Voice) -> Row | None:
    """The job as a row of a batch; None once it was refused."""
    request = job.request
    try:
        prompt = _render(request, voice)
        limit = _limit(len(prompt), request.token_limit, voice.context_length)
    except InferenceRejected as error:
        job.tell(Failed(error))
        return None
    job.tell(Started(len(prompt)))
    return Row(
        prompt,
        limit=limit,
        stop_tokens=voice.stop_tokens,
        text=TextStream(voice.tokenizer, request.stop),
        chooser=_chooser(request, voice.weights.device),
        deliver=job.tell,
        cancelled=job.cancelled.is_set,
    )


def _render(request: ChatRequest, voice: Voice) -> list[int]:
    try:
        return render_prompt(voice.tokenizer, request.turns(), request.tools)
    except Unrenderable as error:
        raise InferenceRejected(400, "invalid_messages", str(error), param="messages") from error


def _limit(prompt_tokens: int, asked: int | None, context_length: int | None) -> int:
    """How many tokens the answer may have: what was asked for, as far as the context goes."""
    if context_length is None:
        return asked or _UNASKED_LIMIT
    room = context_length - prompt_tokens
    if room < 1:
        raise InferenceRejected(
            400,
            "context_length_exceeded",
            f"The prompt has {prompt_tokens} tokens; this model's context holds {context_length}, "
            "the answer included.",
            param="messages",
        )
    return min(asked or room, room)


def _chooser(request: ChatRequest, device: torch.device) -> Chooser | None:
    temperature = 1.0 if request.temperature is None else request.temperature
    top_p = 1.0 if request.top_p is None else request.top_p
    if temperature < _GREEDY_BELOW or top_p == 0:
        return None
    return Chooser(device, temperature=temperature, top_p=top_p, seed=request.seed)


def _batches(rows: Sequence[Row], *, most: int) -> Iterator[list[Row]]:
    """The rows in order, in batches whose padded prompts stay within the memory's bound."""
    batch: list[Row] = []
    for row in rows:
        longest = max(len(other.prompt) for other in [*batch, row])
        full = len(batch) == most or longest * (len(batch) + 1) > _PROMPT_TOKENS_PER_BATCH
        if batch and full:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
