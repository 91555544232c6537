"""What a launch has found out so far, for the result, however it ends."""

from typing import Any

import msgspec

from app.providers.local.records import RunArtifact, RunBase


class Findings(msgspec.Struct):
    """Filled in on the way; `tokens` counts what was trained on, over all epochs."""

    base: RunBase | None = None
    effective: dict[str, Any] = {}
    versions: dict[str, str] = {}
    steps: int = 0
    tokens: int = 0
    artifact: RunArtifact | None = None
    weights_sha256: str | None = None
