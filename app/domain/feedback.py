"""Feedback: what somebody thought of a model's answer, and what it should have been."""

import msgspec

from app.domain.examples import ChatExample, Message


class Feedback(msgspec.Struct, frozen=True, kw_only=True):
    """One answer with a person's rating from 1 (bad) to 5 (good); `model` as the user wrote it."""

    id: str
    model: str
    messages: list[Message]
    answer: str
    rating: int
    corrected: str | None = None
    created_at: int

    def example(self) -> ChatExample:
        """A training example: the question with the corrected answer, or the answer as it was."""
        wanted = self.answer if self.corrected is None else self.corrected
        return ChatExample([*self.messages, Message("assistant", wanted)])
