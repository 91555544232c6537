"""Personal data and secrets taken out of texts, by what a report finds them with."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from enum import StrEnum

import msgspec

from app.domain.reporting.disclosures import FINDERS, Span


class Disclosed(StrEnum):
    """What can be taken out; the names are those of a report's findings."""

    SECRETS = "secrets"  # pragma: allowlist secret
    CARDS = "personal_cards"
    IBANS = "personal_ibans"
    EMAILS = "personal_emails"
    PHONES = "personal_phones"


class Replacement(StrEnum):
    """What stands there instead."""

    LABEL = "label"
    MASK = "mask"


_LABELS = {
    Disclosed.SECRETS: "SECRET",  # pragma: allowlist secret
    Disclosed.CARDS: "CARD",
    Disclosed.IBANS: "IBAN",
    Disclosed.EMAILS: "EMAIL",
    Disclosed.PHONES: "PHONE",
}

_WRITTEN_FREELY = (Disclosed.CARDS, Disclosed.IBANS, Disclosed.PHONES)
"""Spaces and hyphens do not make another number."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*')
"""A string or a number in JSON: all that can disclose something."""

_json = msgspec.json.Decoder()


class Cleaning:
    """Cleans all texts of one example, and counts what it replaces.

    The same thing gets the same label, another one of the kind the next number: `[EMAIL]`,
    `[EMAIL_2]`. A mask keeps length and punctuation.
    """

    def __init__(self, wanted: Sequence[Disclosed], replacement: Replacement) -> None:
        self.counts: Counter[Disclosed] = Counter()
        self._wanted = wanted
        self._replacement = replacement
        self._labels: dict[tuple[Disclosed, str], str] = {}
        self._things: Counter[Disclosed] = Counter()

    def clean(self, text: str) -> str:
        """The text without what was found in it; JSON stays JSON. Cleaning again finds nothing."""
        if _is_json(text):
            return _TOKEN.sub(lambda match: self._clean_token(match[0]), text)
        while (cleaned := self._clean_once(text)) != text:
            # What stood beside a thing may be one itself now that it stands alone.
            text = cleaned
        return text

    def discloses(self, text: str) -> bool:
        """Whether anything is found in a text that is left as it is."""
        return any(any(FINDERS[disclosed](text)) for disclosed in self._wanted)

    def _clean_token(self, token: str) -> str:
        text = json.loads(token, strict=False) if token.startswith('"') else token
        cleaned = self.clean(text)
        return token if cleaned == text else json.dumps(cleaned, ensure_ascii=False)

    def _clean_once(self, text: str) -> str:
        for disclosed in self._wanted:
            spans = list(FINDERS[disclosed](text))
            if spans:
                text = "".join(self._replaced(disclosed, text, spans))
        return text

    def _replaced(self, disclosed: Disclosed, text: str, spans: Sequence[Span]) -> Iterator[str]:
        end = 0
        for start, stop in spans:
            # A number may be found again from its middle on.
            if start >= end:
                yield text[end:start]
                yield self._instead_of(disclosed, text[start:stop])
                self.counts[disclosed] += 1
                end = stop
        yield text[end:]

    def _instead_of(self, disclosed: Disclosed, thing: str) -> str:
        if self._replacement is Replacement.MASK:
            return "".join("*" if letter.isalnum() else letter for letter in thing)
        key = disclosed, _plain(thing) if disclosed in _WRITTEN_FREELY else thing.casefold()
        if key not in self._labels:
            self._things[disclosed] += 1
            number = self._things[disclosed]
            self._labels[key] = _LABELS[disclosed] + (f"_{number}" if number > 1 else "")
        return f"[{self._labels[key]}]"


def _is_json(text: str) -> bool:
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        _json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _plain(number: str) -> str:
    return "".join(filter(str.isalnum, number)).casefold()
