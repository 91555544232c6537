"""Simulated vendors side by side, and the settings of a service that stands before all of them."""

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, SecretStr

from app.settings import Settings
from tests.conformance.conftest import VENDORS
from tests.conformance.simulated_stage import Simulated
from tests.conformance.stage import Stage

STILL_OPEN = """
['{0}'.creation]
closes_at = 2999-01-01
['{0}'.defaults]
training_ends_at = 2999-01-01
"""
"""What the vendor of that connection is taken for, whatever day it is."""


class VendorStage(Stage, Protocol):
    """A stage whose options a process of its own can be given."""

    @property
    def simulated(self) -> Simulated: ...

    @property
    def options(self) -> BaseModel: ...


@asynccontextmanager
async def side_by_side(
    kinds: Iterable[str], folder: Path
) -> AsyncGenerator[dict[str, VendorStage]]:
    """One stage of each kind, in a folder of its own."""
    async with AsyncExitStack() as stack:
        stages: dict[str, Any] = {}
        for kind in kinds:
            (folder / kind).mkdir()
            stages[kind] = await stack.enter_async_context(VENDORS[kind](folder / kind))
        yield stages


def settings_before(stages: Mapping[str, VendorStage], folder: Path, database_url: str) -> Settings:
    """Those of a service, which its processes find in `folder` as well."""
    catalogue = folder / "catalogue.toml"
    catalogue.write_text("".join(STILL_OPEN.format(name) for name in stages))
    (folder / "luthier.toml").write_text(f"catalogue = '{catalogue}'\n")
    sections = {
        name: {"kind": stage.provider.spec.kind, **_revealed(stage.options)}
        for name, stage in stages.items()
    }
    return Settings(
        data_dir=folder, database_url=database_url, providers=sections, catalogue=catalogue
    )


def _revealed(options: BaseModel) -> Mapping[str, Any]:
    """The options as an environment holds them."""

    def shown(value: Any) -> Any:
        if isinstance(value, SecretStr):
            return value.get_secret_value()
        return str(value) if isinstance(value, Path) else value

    given = options.model_dump(exclude_unset=True)
    return {name: shown(value) for name, value in given.items() if value is not None}
