"""Prefixed ids that sort by creation."""

import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # pragma: allowlist secret


def new_id(prefix: str, *, separator: str = "_") -> str:
    """`prefix_` and a ULID: 48 bits of time and 80 of chance in Crockford's base 32."""
    number = (time.time_ns() // 1_000_000 << 80) | secrets.randbits(80)
    letters = (_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))
    return f"{prefix}{separator}{''.join(letters)}"
