"""One batch of answers: prompts padded on the left, every row with limits of its own."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import (
    GenerationConfig,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
)

from app.providers.local.inference.events import Event, Finished, Said
from app.providers.local.inference.sampling import Chooser, RowSampler
from app.providers.local.inference.text import TextStream


class Row:
    """One answer in the making: takes its tokens, tells its text, knows when it has ended."""

    def __init__(
        self,
        prompt: list[int],
        *,
        limit: int,
        stop_tokens: frozenset[int],
        text: TextStream,
        chooser: Chooser | None,
        deliver: Callable[[Event], None],
        cancelled: Callable[[], bool],
    ) -> None:
        self.prompt = prompt
        self.limit = limit
        self.ended = False
        self._chooser = chooser
        self._stop_tokens = stop_tokens
        self._text = text
        self._deliver = deliver
        self._cancelled = cancelled
        self._count = 0

    @property
    def chooser(self) -> Chooser | None:
        """What draws the next token; None for greedy, and once the row has ended."""
        return None if self.ended else self._chooser

    def accept(self, token: int) -> None:
        """Take the next token; a row that has ended lets it pass."""
        if self.ended or self._cancelled():
            self.ended = True
            return
        self._count += 1
        if token in self._stop_tokens:
            self._end(self._text.finish(), "stop")
            return
        said = self._text.push(token)
        if self._text.stopped:
            self._end(said, "stop")
        elif self._count == self.limit:
            said += self._text.finish()
            self._end(said, "stop" if self._text.stopped else "length")
        else:
            self._say(said)

    def _end(self, last_words: str, reason: Any) -> None:
        self.ended = True
        self._say(last_words)
        self._deliver(Finished(reason, self._count))

    def _say(self, text: str) -> None:
        if text:
            self._deliver(Said(text))


def generate(model: Any, rows: Sequence[Row]) -> None:
    """Answer all rows together; each tells its own text and end while the batch runs."""
    ids, mask = _padded(rows)
    # The end of a row is the monitor's business alone, since rows differ in what ends them.
    model.generate(
        input_ids=ids.to(model.device),
        attention_mask=mask.to(model.device),
        generation_config=GenerationConfig(
            max_new_tokens=max(row.limit for row in rows), do_sample=False, pad_token_id=0
        ),
        logits_processor=LogitsProcessorList([RowSampler(rows)]),
        stopping_criteria=StoppingCriteriaList([RowMonitor(rows)]),
    )


class RowMonitor(StoppingCriteria):
    """Hands each row its newest token and tells which rows have ended."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows

    # The libraries' signature: ids of shape [rows, length]; returns bools of shape [rows].
    def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> Any:
        for row, token in zip(self._rows, input_ids[:, -1].tolist(), strict=True):
            row.accept(token)
        ended = [row.ended for row in self._rows]
        return torch.tensor(ended, dtype=torch.bool, device=input_ids.device)


def _padded(rows: Sequence[Row]) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and attention mask, both [rows, longest prompt]; what is masked is never read."""
    longest = max(len(row.prompt) for row in rows)
    gaps = [longest - len(row.prompt) for row in rows]
    ids = [[0] * gap + row.prompt for gap, row in zip(gaps, rows, strict=True)]
    mask = [[0] * gap + [1] * (longest - gap) for gap in gaps]
    return torch.tensor(ids), torch.tensor(mask)
