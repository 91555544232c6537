"""A vendor's account is shared by all projects: its names for what one of them tuned are not."""

from pathlib import Path

import pytest

from app import bootstrap
from app.bootstrap import House
from app.domain.errors import BaseModelUnknown
from app.domain.models import TunedModel
from app.services.offers import offered
from app.settings import Settings
from app.storage import models
from app.storage.tenancy import Tenant, working_for

HANDLE = "ft:gpt-4.1-mini-2025-04-14:acme::abc"


@pytest.fixture
async def shared(database_url: str, tmp_path: Path) -> House:
    """A service on which the project `other` has tuned a model at OpenAI."""
    house = bootstrap.build(Settings(data_dir=tmp_path, database_url=database_url))
    model = TunedModel(
        id="model_x",
        name=None,
        provider="openai",
        base_model="gpt-4.1-mini-2025-04-14",
        parent_model_id=None,
        job_id=None,
        dataset=None,
        method=None,
        effective={},
        kind="lora",
        artifact=HANDLE,
        sha256=None,
        trained_tokens=None,
        created_at=0,
    )
    with working_for(Tenant("other")):
        async with house.database.write() as connection:
            await models.add(connection, model)
    return house


@pytest.mark.parametrize("name", [HANDLE, f"{HANDLE}:ckpt-step-8"])
async def test_the_name_of_another_project_s_model_means_nothing(shared: House, name: str) -> None:
    provider = shared.providers["openai"]

    with pytest.raises(BaseModelUnknown):
        await offered(shared.database, provider, "openai", name)
    with working_for(Tenant("other")):
        found = await offered(shared.database, provider, "openai", name)

    assert found.tuned_from == "gpt-4.1-mini-2025-04-14"
    await shared.database.dispose()


async def test_what_nobody_here_tuned_can_be_named(shared: House) -> None:
    provider = shared.providers["openai"]

    found = await offered(shared.database, provider, "openai", f"{HANDLE}d")

    assert found.tuned_from == "gpt-4.1-mini-2025-04-14"
    await shared.database.dispose()
