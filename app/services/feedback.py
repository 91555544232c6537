"""Feedback: kept as it comes, and made into examples to train on."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import msgspec

from app.domain.datasets import Dataset
from app.domain.errors import Fault, Invalid, NoFeedback
from app.domain.examples import (
    MAX_LINE_BYTES,
    Message,
    RowInvalid,
    check_example,
    encode_example,
    refuse_nul,
)
from app.domain.feedback import Feedback
from app.domain.idempotency import Idempotency
from app.services.created import Created
from app.services.datasets import Datasets
from app.services.models import Models
from app.services.once import once
from app.storage import feedback, idempotency
from app.storage.database import Database
from app.storage.ids import new_id

MAX_LEARNED = 100_000
"""Pieces of feedback that one dataset is made of at the most."""


class WantedFeedback(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody says of an answer."""

    messages: Sequence[dict[str, Any]]
    answer: str
    rating: int
    corrected: str | None


class WantedLessons(msgspec.Struct, frozen=True, kw_only=True):
    """Which feedback is to be learned from: what was corrected, and what is rated so well."""

    model: str
    name: str
    minimum_rating: int | None


class Feedbacks:
    """What a user does with feedback."""

    def __init__(
        self, database: Database, models: Models, stored: Datasets, *, clock: Callable[[], int]
    ) -> None:
        self._database = database
        self._models = models
        self._stored = stored
        self._clock = clock

    async def add(
        self, reference: str, wanted: WantedFeedback, key: Idempotency | None = None
    ) -> Created[Feedback]:
        """Keep feedback on a model that exists; `Invalid` where no example can be made of it."""

        async def make() -> Created[Feedback]:
            given = Feedback(
                id=new_id("fb"),
                model=await self._model(reference),
                messages=_messages(wanted),
                answer=wanted.answer,
                rating=wanted.rating,
                corrected=wanted.corrected,
                created_at=self._clock(),
            )
            _check(given)
            async with self._database.write() as connection:
                await idempotency.keep(connection, key, given)
                await feedback.add(connection, given)
            return Created(given)

        return await once(self._database, key, Feedback, make)

    async def list_page(self, reference: str, *, before: str | None, limit: int) -> list[Feedback]:
        """Feedback on a model, newest first."""
        model = await self._model(reference)
        async with self._database.read() as connection:
            return await feedback.list_page(connection, model=model, before=before, limit=limit)

    async def make_dataset(
        self, wanted: WantedLessons, key: Idempotency | None = None
    ) -> Created[Dataset]:
        """Store what can be learned as the next version of a name; raises `NoFeedback`."""
        return await once(self._database, key, Dataset, lambda: self._make_dataset(wanted, key))

    async def _make_dataset(
        self, wanted: WantedLessons, key: Idempotency | None
    ) -> Created[Dataset]:
        model = await self._model(wanted.model)
        async with self._database.read() as connection:
            found = await feedback.to_learn_from(
                connection, model=model, minimum_rating=wanted.minimum_rating, limit=MAX_LEARNED
            )
        if not found:
            raise NoFeedback(f"No feedback on {model} was corrected or is rated well enough.")
        async with self._stored.take_in(_lines(found)) as draft:
            return await self._stored.keep(draft, wanted.name, key)

    async def _model(self, reference: str) -> str:
        """The model by its one name, whatever name was used for it."""
        who = await self._models.resolve(reference)
        return who.model_id or f"{who.provider}/{who.base_model}"


def _messages(wanted: WantedFeedback) -> list[Message]:
    try:
        return msgspec.convert(wanted.messages, list[Message])
    except msgspec.ValidationError as error:
        detail = f"The messages cannot be read: {error}."
        raise Invalid(detail, faults=[Fault("row_shape", detail, "/messages")]) from error


def _check(given: Feedback) -> None:
    try:
        example = given.example()
        check_example(example)
        line = encode_example(example)
        refuse_nul(line)
        if len(line) > MAX_LINE_BYTES:
            raise RowInvalid("line_too_long", "The messages are longer than a row may be.")
    except RowInvalid as error:
        fault = Fault(error.code, error.message, "/messages")
        raise Invalid(error.message, faults=[fault]) from error


async def _lines(found: Sequence[Feedback]) -> AsyncIterator[bytes]:
    for given in found:
        yield encode_example(given.example()) + b"\n"
