"""Redaction: what the report finds is gone, what stood around it is untouched."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.curation.cleaning import Cleaning, Disclosed, Replacement
from app.domain.curation.redacting import Redaction
from app.domain.datasets import DatasetKind
from app.domain.reporting.disclosures import FINDERS

EVERYTHING = list(Disclosed)
THINGS = {
    "secrets": "sk-A1b2C3d4E5f6G7h8J9k0",
    "personal_cards": "4111 1111 1111 1111",
    "personal_ibans": "DE89 3704 0044 0532 0130 00",
    "personal_emails": "jane@acme.io",
    "personal_phones": "+49 30 901820",
}


def cleaned(text: str, replacement: Replacement = Replacement.LABEL) -> str:
    """A text without anything that can be found in it."""
    return Cleaning(EVERYTHING, replacement).clean(text)


def redacted(message: dict[str, Any]) -> tuple[Redaction, dict[str, Any]]:
    """The redaction of an example, and its last message afterwards."""
    redaction = Redaction(DatasetKind.CHAT, EVERYTHING, Replacement.LABEL)
    example = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant"} | message]}
    line = redaction.feed([msgspec.json.encode(example)])
    return redaction, json.loads(line)["messages"][-1]


@pytest.mark.parametrize(
    ("kind", "label"), list(zip(THINGS, ("SECRET", "CARD", "IBAN", "EMAIL", "PHONE"), strict=True))
)
def test_every_kind_has_its_label(kind: str, label: str) -> None:
    assert cleaned(f"It is {THINGS[kind]}, I think.") == f"It is [{label}], I think."


def test_a_mask_keeps_length_and_punctuation() -> None:
    assert cleaned("Write to jane@acme.io!", Replacement.MASK) == "Write to ****@****.**!"


def test_the_same_thing_has_the_same_label_within_an_example() -> None:
    text = "jane@acme.io, joe@acme.io, Jane@acme.io; +49 30 901820 or +49-30-901820"
    assert cleaned(text) == "[EMAIL], [EMAIL_2], [EMAIL]; [PHONE] or [PHONE]"


def test_what_is_reserved_for_documentation_stays() -> None:
    assert cleaned("jane@example.com") == "jane@example.com"


def test_a_private_key_goes_whole() -> None:
    body = f"{'MIIE' * 16}\n{'ab12' * 16}"
    key = f"-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----"
    assert cleaned(f"Use\n{key}\nplease") == "Use\n[SECRET]\nplease"
    cut_off = key.partition("\n-----END")[0]
    assert cleaned(f"Use\n{cut_off}") == "Use\n[SECRET]"


def test_a_password_in_a_url_is_no_address() -> None:
    assert cleaned("at postgres://admin:hunter2@db.acme.io/shop") == "at [SECRET]/shop"


def test_json_stays_json() -> None:
    text = (
        '{"to": "jane\\u0040acme.io", "card": 4111111111111111, "n": 1.0,  "x": ["+49 30 901820"]}'
    )
    assert cleaned(text) == '{"to": "[EMAIL]", "card": "[CARD]", "n": 1.0,  "x": ["[PHONE]"]}'


def test_arguments_of_tool_calls_are_cleaned_and_tools_are_not() -> None:
    call = {
        "id": "1",
        "type": "function",
        "function": {"name": "mail", "arguments": '{"to": "jane@acme.io"}'},
    }
    redaction, message = redacted({"tool_calls": [call]})
    assert message["tool_calls"][0]["function"]["arguments"] == '{"to": "[EMAIL]"}'
    assert redaction.counts[Disclosed.EMAILS] == 1


def test_parts_of_text_are_cleaned_and_others_are_named() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://jane:hunter2@acme.io/a.png"}}
    redaction, message = redacted({"content": [{"type": "text", "text": "jane@acme.io"}, image]})
    assert message["content"] == [{"type": "text", "text": "[EMAIL]"}, image]
    assert (redaction.left.count, redaction.left.first) == (1, [1])


def test_only_the_kinds_that_are_wanted_go() -> None:
    text = "jane@acme.io, +49 30 901820"
    assert Cleaning([Disclosed.PHONES], Replacement.LABEL).clean(text) == "jane@acme.io, [PHONE]"


pieces = st.sampled_from(
    [*THINGS.values(), " ", ":", "@", "-", "/", "x", "0", "[", '{"a": ', "}", "\n", "https://"]
)
texts = st.lists(pieces, max_size=12).map("".join)


@given(texts | st.text(), st.sampled_from(Replacement))
def test_what_was_cleaned_has_nothing_left(text: str, replacement: Replacement) -> None:
    once = cleaned(text, replacement)
    assert cleaned(once, replacement) == once
    if not once.lstrip().startswith(("{", "[")):
        assert not any(any(find(once)) for find in FINDERS.values())


@given(
    st.recursive(
        texts | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
        lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    )
)
def test_json_with_anything_in_it_stays_json(value: Any) -> None:
    text = json.dumps(value)
    if text.startswith(("{", "[")):
        json.loads(cleaned(text))
