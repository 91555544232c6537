"""Asking models on behalf of an evaluation: in parallel, within a budget, kept as it comes."""

import asyncio
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from app.domain.answer_costs import Rates, rates_of
from app.domain.errors import BaseModelUnknown, Invalid, LuthierError, ModelNotFound
from app.domain.evaluations import Answer, Candidate, Evaluation, Judgement
from app.domain.provider import Provider, Servable
from app.reconciler.work import Workshop
from app.storage import answers, evaluations, models
from app.telemetry.calls import vendor_call

PARALLEL = 16
"""Questions to one model at once; a local worker answers those that wait in one batch."""


class LeaseLost(Exception):
    """Somebody else works on the evaluation by now: what we hear is not ours to write."""


class Target(msgspec.Struct, frozen=True):
    """A model that can be asked, and what it takes for it."""

    name: str
    connection: str
    provider: Provider
    model: Servable
    rates: Rates | None


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What came back: a completion, or why there is none and never will be."""

    completion: dict[str, Any] | None = None
    refusal: str | None = None
    seconds: float = 0.0
    cost_usd: float | None = None


class Call(msgspec.Struct, frozen=True):
    """One question to one model, and what is kept of the reply."""

    target: Target
    request: dict[str, Any]
    record: Callable[[Reply], Answer | Judgement]


class Outcome(msgspec.Struct):
    """How many calls were kept, and which failed for now; the rest could not be paid."""

    kept: int = 0
    failed: list[Call] = []
    problem: str = ""


class Purse:
    """What may be spent; a question is asked only where even its longest answer can be paid."""

    def __init__(self, limit: Decimal | None, spent: float) -> None:
        self._limit = None if limit is None else float(limit)
        self._spent = spent
        self._set_aside = 0.0

    def set_aside(self, call: Call) -> float | None:
        """The most that the call can cost, set aside; None where that cannot be paid."""
        if self._limit is None:
            return 0.0
        if call.target.rates is None:
            return None
        needed = call.target.rates.at_most(call.request)
        if self._spent + self._set_aside + needed > self._limit:
            return None
        self._set_aside += needed
        return needed

    def settle(self, set_aside: float, spent: float) -> None:
        """Pay what it came to."""
        self._set_aside -= set_aside
        self._spent += spent


class Book:
    """Keeps answers as they come, those that came together in one transaction."""

    def __init__(self, shop: Workshop, evaluation: Evaluation) -> None:
        self._shop = shop
        self._waiting: list[Answer | Judgement] = []
        self._turn = asyncio.Lock()
        self.evaluation = evaluation
        """As it stands after what was kept."""

    async def keep(self, record: Answer | Judgement) -> None:
        """Return once the record is stored; raises `LeaseLost`."""
        self._waiting.append(record)
        async with self._turn:
            batch, self._waiting = self._waiting, []
            if batch:
                await self._write(batch)

    async def _write(self, batch: Sequence[Answer | Judgement]) -> None:
        progress = _progress(self.evaluation, batch)
        async with self._shop.database.write() as connection:
            if not await evaluations.note(connection, self.evaluation, **progress):
                raise LeaseLost
            await answers.keep(connection, self.evaluation.id, batch)
        self.evaluation = msgspec.structs.replace(self.evaluation, **progress)


async def target(shop: Workshop, candidate: Candidate) -> Target:
    """The model that a candidate means; raises `ModelNotFound`."""
    provider = shop.providers.get(candidate.provider)
    if provider is None:
        raise ModelNotFound(f"{candidate.name} lives at {candidate.provider}: not configured.")
    model = Servable(candidate.base_model)
    if candidate.model_id is not None:
        async with shop.database.read() as connection:
            tuned = await models.get(connection, candidate.model_id)
        model = Servable(tuned.base_model, tuned.artifact)
    try:
        base = await asyncio.to_thread(provider.base_model, model.base_model)
    except BaseModelUnknown:
        return Target(candidate.name, candidate.provider, provider, model, None)
    return Target(candidate.name, candidate.provider, provider, model, rates_of(base))


async def ask(calls: Sequence[Call], book: Book, purse: Purse) -> Outcome:
    """Make the calls, and keep each reply as it comes; what fails for now is told and not kept."""
    outcome = Outcome()
    turns = {call.target.name: asyncio.Semaphore(PARALLEL) for call in calls}

    async def make(call: Call) -> None:
        async with turns[call.target.name]:
            set_aside = purse.set_aside(call)
            if set_aside is not None:
                await _make(call, book, outcome, lambda spent: purse.settle(set_aside, spent))

    async with asyncio.TaskGroup() as group:
        for call in calls:
            group.create_task(make(call))
    return outcome


async def _make(call: Call, book: Book, outcome: Outcome, settle: Callable[[float], None]) -> None:
    try:
        reply = await _reply(call)
    except Exception as error:  # noqa: BLE001 - a model that does not answer now may later
        settle(0.0)
        outcome.failed.append(call)
        outcome.problem = told(error)
        return
    settle(_spent(call, reply))
    await book.keep(call.record(reply))
    outcome.kept += 1


def told(error: Exception) -> str:
    """What went wrong, for whoever reads the evaluation."""
    return error.detail if isinstance(error, LuthierError) else f"{type(error).__name__}: {error}"


async def _reply(call: Call) -> Reply:
    started = time.monotonic()
    try:
        with vendor_call(call.target.connection, "chat"):
            completion = await call.target.provider.chat(call.target.model, call.request)
    except Invalid as error:
        return Reply(refusal=error.detail, cost_usd=0.0)
    seconds = round(time.monotonic() - started, 4)
    return Reply(completion=completion, seconds=seconds, cost_usd=_cost(call, completion))


def _cost(call: Call, completion: dict[str, Any]) -> float | None:
    usage = completion.get("usage") or {}
    read, written = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if call.target.rates is None or read is None or written is None:
        return None
    return call.target.rates.cost(read=read, written=written)


def _spent(call: Call, reply: Reply) -> float:
    """What a reply cost; where nobody told its tokens, the most that it can have cost."""
    if reply.cost_usd is not None or call.target.rates is None:
        return reply.cost_usd or 0.0
    return call.target.rates.at_most(call.request)


def _progress(evaluation: Evaluation, batch: Sequence[Answer | Judgement]) -> dict[str, Any]:
    errors = dict(evaluation.errors)
    given = [record for record in batch if isinstance(record, Answer)]
    for answer in given:
        if answer.refusal is not None:
            errors[answer.candidate] = errors.get(answer.candidate, 0) + 1
    costs = [record.cost_usd for record in batch if record.cost_usd is not None]
    spent = evaluation.cost_usd
    return {
        "answered": evaluation.answered + len(given),
        "judged": evaluation.judged + len(batch) - len(given),
        "errors": errors,
        "cost_usd": (spent or 0.0) + sum(costs) if costs else spent,
    }
