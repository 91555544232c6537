"""Personal data and secrets by their shapes: what is one, and what only looks like one."""

import pytest

from app.domain.reporting.disclosures import (
    find_cards,
    find_emails,
    find_ibans,
    find_phones,
    find_secrets,
)

KEY = "A1b2C3d4E5f6G7h8J9k0"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Write to jane.doe+shop@mail.acme.co.uk, please.", True),
        ("<Jane> jane@acme.io", True),
        ("jane@example.com and joe@support.example.org", False),
        ("jane@host.test", False),
        ("the @decorator of a.b", False),
        ("5 @ 3 euros", False),
    ],
)
def test_emails(text: str, expected: bool) -> None:
    assert any(find_emails(text)) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("call +49 30 901820 today", True),
        ("+1 (415) 555-2671", True),
        ("0171 1234567", True),
        ("1. 020 7946 0958", True),
        ("(415) 555-2671", True),
        ("415-555-2671.", True),
        ("on 2024-01-15 at 10:30", False),
        ("order 1234567890", False),
        ("it costs 1,000,000.00", False),
        ("0.123456789", False),
        ("id a0171-1234567b", False),
    ],
)
def test_phones(text: str, expected: bool) -> None:
    assert any(find_phones(text)) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DE89 3704 0044 0532 0130 00", True),
        ("to GB82WEST12345698765432.", True),
        ("DE89 3704 0044 0532 0130 01", False),
        ("AB12 is a part number", False),
        ("XDE89370400440532013000", False),
    ],
)
def test_ibans(text: str, expected: bool) -> None:
    assert any(find_ibans(text)) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4111 1111 1111 1111", True),
        ("card 5500-0000-0000-0004!", True),
        ("378282246310005", True),
        ("4111 1111 1111 1112", False),
        ("tracking 9111111111111111", False),
        ("0.4111111111111111", False),
    ],
)
def test_cards(text: str, expected: bool) -> None:
    assert any(find_cards(text)) is expected


@pytest.mark.parametrize(
    "text",
    [
        f"AKIA{KEY[:16].upper()}",
        f"sk-{KEY}",
        f"sk-proj-{KEY}_x",
        f"ghp_{KEY}{KEY}",
        f"xoxb-{KEY}",
        f"sk_live_{KEY}",
        f"hf_{KEY}{KEY}",
        "-----BEGIN RSA PRIVATE KEY-----",
        "postgres://admin:hunter2@db.internal/shop",
        f"eyJ{KEY}.eyJ{KEY}.{KEY}",
    ],
)
def test_secrets(text: str) -> None:
    assert any(find_secrets(f"It is {text} there"))


@pytest.mark.parametrize(
    "text",
    ["a risk-averse customer", "https://acme.io/a:b", "sk-short", "the task-force", "eyJhbGci"],
)
def test_what_is_no_secret(text: str) -> None:
    assert not any(find_secrets(text))
