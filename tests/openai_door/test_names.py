"""Whom a name means, and what has to be asked to know it."""

from pathlib import Path

import pytest

from app.domain.errors import DatabaseUnavailable
from app.domain.provider import Connection
from app.providers.openai import SPEC, OpenAIOptions
from app.providers.openai.provider import OpenAIProvider
from app.services.models import Models
from app.storage.database import Database

BASE = "gpt-4.1-mini-2025-04-14"


async def test_what_a_catalogue_has_is_found_without_the_database(tmp_path: Path) -> None:
    provider = OpenAIProvider(SPEC, Connection("openai", OpenAIOptions(), str(tmp_path)))
    away = Database("postgresql://nobody@127.0.0.1:1/nothing")
    models = Models(away, {"openai": provider})

    assert (await models.resolve(f"openai/{BASE}")).base_model == BASE
    with pytest.raises(DatabaseUnavailable):
        await models.resolve("openai/that-only-the-vendor-may-know")
    await away.dispose()
