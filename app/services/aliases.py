"""Aliases: names for models, moved by hand under a gate, and moved back in a hurry."""

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.domain.aliases import (
    Alias,
    AliasDecision,
    Ruling,
    delete,
    is_same,
    make,
    move,
    roll_back,
    rule,
    set_gate,
    target_of,
)
from app.domain.errors import Fault, GateNotMet, ModelNotFound, NothingToRollBack
from app.domain.evaluations import JUDGE, Candidate, Gain, Gate, Guard
from app.domain.idempotency import Idempotency
from app.domain.metrics import check_metrics
from app.services.created import Created
from app.services.evaluations import WantedGate, WantedGuard
from app.services.models import Models
from app.services.once import once
from app.storage import aliases, datasets, evaluations, idempotency, models
from app.storage.database import Database
from app.storage.ids import new_id

HISTORY = 100
"""How many of the latest decisions are told with an alias."""

BY_REQUEST = "api"
"""Who decided, where it was no job."""


class WantedAlias(msgspec.Struct, frozen=True, kw_only=True):
    """Where an alias is to point, and under which gate; `keeps_gate` leaves that as it is."""

    model: str
    evaluation: str | None = None
    gate: WantedGate | None = None
    keeps_gate: bool = True


class AliasTaken(Exception):  # the transaction is lost; read in a new one what is there
    """Somebody else made the alias first."""


class Aliases:
    """What a user does with aliases."""

    def __init__(self, database: Database, models: Models, *, clock: Callable[[], int]) -> None:
        self._database = database
        self._models = models
        self._clock = clock

    async def put(self, name: str, wanted: WantedAlias) -> Created[Alias]:
        """Make an alias, or let it point to another model.

        Raises `GateNotMet` where the evaluation does not let it; a new alias points anywhere.
        """
        target = target_of(await self._models.resolve(wanted.model))
        if wanted.gate is not None:
            check_gate(wanted.gate)
        try:
            async with self._database.write() as connection:
                await _check_is_there(connection, target)
                gate = await gate_of(connection, wanted.gate)
                alias = await aliases.find(connection, name, lock=True)
                if alias is None:
                    return Created(await self._make(connection, name, target, gate))
                moved = await self._move(connection, alias, target, wanted.evaluation)
                kept = alias.gate if wanted.keeps_gate else gate
                return Created(await self._set_gate(connection, moved, kept), existed=True)
        except AliasTaken:
            return await self.put(name, wanted)

    async def get(self, name: str) -> Alias:
        """The alias of that name; raises `AliasNotFound`."""
        async with self._database.read() as connection:
            return await aliases.get(connection, name)

    async def history(self, name: str) -> list[AliasDecision]:
        """The latest decisions on the alias, newest first."""
        async with self._database.read() as connection:
            return await aliases.history(connection, name, limit=HISTORY)

    async def list_page(self, *, before: str | None, limit: int) -> Sequence[Alias]:
        """Aliases, newest first."""
        async with self._database.read() as connection:
            return await aliases.list_page(connection, before=before, limit=limit)

    async def roll_back(self, name: str, key: Idempotency | None = None) -> Created[Alias]:
        """Point the alias to the model that it meant before, whatever its gate says."""

        async def make() -> Created[Alias]:
            async with self._database.write() as connection:
                alias = await aliases.get(connection, name, lock=True)
                await _check_way_back(connection, alias)
                back = roll_back(alias, by=BY_REQUEST, at=self._clock())
                await aliases.write(connection, back)
                await idempotency.keep(connection, key, back.alias)
            return Created(back.alias)

        return await once(self._database, key, Alias, make)

    async def remove(self, name: str) -> None:
        """Forget the alias; its models and its history stay."""
        async with self._database.write() as connection:
            alias = await aliases.get(connection, name, lock=True)
            last = delete(alias, by=BY_REQUEST, at=self._clock())
            await aliases.remove(connection, alias, last)

    async def _make(
        self, connection: AsyncConnection, name: str, target: Candidate, gate: Gate | None
    ) -> Alias:
        made = make(new_id("alias"), name, target, gate=gate, by=BY_REQUEST, at=self._clock())
        try:
            await aliases.add(connection, made)
        except IntegrityError as error:
            raise AliasTaken from error
        return made.alias

    async def _move(
        self, connection: AsyncConnection, alias: Alias, target: Candidate, on: str | None
    ) -> Alias:
        if is_same(alias.target, target):
            return alias
        evaluation = None if on is None else await evaluations.get(connection, on)
        ruling = rule(alias.gate, now=alias.target, wanted=target, evaluation=evaluation)
        if not ruling.passed:
            raise _not_met(alias, ruling)
        moved = move(alias, target, ruling, by=BY_REQUEST, at=self._clock(), on=on)
        await aliases.write(connection, moved)
        return moved.alias

    async def _set_gate(
        self, connection: AsyncConnection, alias: Alias, gate: Gate | None
    ) -> Alias:
        if gate == alias.gate:
            return alias
        changed = set_gate(alias, gate, by=BY_REQUEST, at=self._clock())
        await aliases.write(connection, changed)
        return changed.alias


def check_gate(gate: WantedGate) -> None:
    """Raise `CandidateInvalid` for a metric that does not exist."""
    named = [gate.metric, *(guard.metric for guard in gate.guards)]
    check_metrics([name for name in named if name != JUDGE] or ["exact_match"], pointer="/gate")


async def gate_of(connection: AsyncConnection, wanted: WantedGate | None) -> Gate | None:
    """The gate, its guards' datasets found."""
    if wanted is None:
        return None
    return Gate(
        metric=wanted.metric,
        min_delta=wanted.min_delta,
        non_inferiority_margin=wanted.non_inferiority_margin,
        confidence=wanted.confidence,
        guards=[await _guard(connection, guard) for guard in wanted.guards],
    )


async def _guard(connection: AsyncConnection, wanted: WantedGuard) -> Guard:
    dataset = None if wanted.dataset is None else await datasets.get(connection, wanted.dataset)
    ref = None if dataset is None else dataset.ref
    return Guard(metric=wanted.metric, max_drop=wanted.max_drop, dataset=ref)


async def _check_is_there(connection: AsyncConnection, target: Candidate) -> None:
    if target.model_id is not None:
        await models.get(connection, target.model_id)


async def _check_way_back(connection: AsyncConnection, alias: Alias) -> None:
    if not alias.past:
        raise NothingToRollBack(f"{alias.name} has pointed to {alias.target.name} only.")
    try:
        await _check_is_there(connection, alias.past[-1])
    except ModelNotFound as error:
        gone = alias.past[-1].name
        raise NothingToRollBack(
            f"{gone}, to which {alias.name} pointed before, is gone; point it elsewhere."
        ) from error


def _not_met(alias: Alias, ruling: Ruling) -> GateNotMet:
    """The refusal, with every number that decided."""
    gains = [ruling.verdict.gate, *ruling.verdict.guards] if ruling.verdict else []
    return GateNotMet(
        f"{alias.name} stays at {alias.target.name}. {ruling.reason}",
        faults=[
            Fault("gain_enough" if gain.passed else "gain_too_small", _told(gain), "/evaluation")
            for gain in gains
        ],
    )


def _told(gain: Gain) -> str:
    measured = "nothing" if gain.gain is None else f"{gain.gain:.4g}"
    return f"{gain.metric}: gained {measured} over {gain.examples} examples. {gain.reason}"
