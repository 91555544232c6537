"""Names in the vendor's manner."""

import secrets


def new_id(prefix: str) -> str:
    """An identifier such as `file-3f0c…`, never given twice."""
    return prefix + secrets.token_hex(12)


def short_id() -> str:
    """The last part of a tuned model's name."""
    return secrets.token_hex(4)
