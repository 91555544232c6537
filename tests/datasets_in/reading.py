"""Reading a file as an upload does, from memory."""

import io
from collections.abc import Iterable
from typing import NamedTuple

from app.domain.intake import Intake, Reading


class Outcome(NamedTuple):
    """What an intake found, and what came out of it."""

    intake: Intake
    kept: bytes
    rejected: bytes


def take_in(pieces: Iterable[bytes], reading: Reading | None = None) -> Outcome:
    """The outcome of a file that is right, or only wrong in rows that are set aside."""
    intake = Intake(reading)
    taken = b"".join([intake.feed(piece) for piece in pieces])
    if intake.is_spooling:
        taken = b"".join(intake.read_spooled(io.BytesIO(taken)))
    taken += intake.finish()
    return Outcome(intake, taken, intake.take_rejected())
