"""The next token for every row of a batch, each by its own temperature, top_p and seed."""

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from transformers import LogitsProcessor


class Sampled(Protocol):
    """A row of the batch, as far as choosing its next token goes."""

    @property
    def chooser(self) -> "Chooser | None":
        """None for greedy, and for a row that has ended."""
        ...


class Chooser:
    """Draws tokens for one row; the same seed and scores give the same tokens in any batch."""

    def __init__(
        self, device: torch.device, *, temperature: float, top_p: float, seed: int | None
    ) -> None:
        self._temperature = temperature
        self._top_p = top_p
        self._random = torch.Generator(device)
        if seed is None:
            self._random.seed()
        else:
            # A torch seed has 64 bits; OpenAI's may be any integer.
            self._random.manual_seed(seed % 2**63)

    def choose(self, scores: torch.Tensor) -> torch.Tensor:
        """A token id (shape [1]) for the scores (shape [vocabulary]) of the next token."""
        chances = torch.softmax(scores / self._temperature, dim=-1)
        if self._top_p < 1:
            chances = _nucleus(chances, self._top_p)
        return torch.multinomial(chances, 1, generator=self._random)


class RowSampler(LogitsProcessor):
    """Leaves one token possible where a row draws; greedy rows keep their scores."""

    def __init__(self, rows: Sequence[Sampled]) -> None:
        self._rows = rows

    # The libraries' signature: ids of shape [rows, length], scores of shape [rows, vocabulary].
    def __call__(self, input_ids: Any, scores: Any) -> Any:
        for index, row in enumerate(self._rows):
            if row.chooser is not None:
                token = row.chooser.choose(scores[index])
                scores[index] = torch.full_like(scores[index], -torch.inf)
                scores[index, token] = 0
        return scores


def _nucleus(chances: torch.Tensor, top_p: float) -> torch.Tensor:
    """Only the likeliest tokens that together reach `top_p` (over 0), at least one."""
    ordered, places = torch.sort(chances, descending=True)
    before = torch.cumsum(ordered, dim=-1) - ordered
    ordered[before >= top_p] = 0
    return torch.zeros_like(chances).scatter(0, places, ordered)
