"""Notices: what happened to models, aliases and webhooks, numbered in one order for all."""

from typing import Any

import msgspec

from app.domain.jobs import Millis


class Notice(msgspec.Struct, frozen=True):
    """`subject` is the id or name of what it is about; `id` grows, and numbers may be left out."""

    id: int
    type: str
    subject: str
    data: dict[str, Any]
    at: Millis
