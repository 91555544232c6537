"""What an operator can set: environment `LUTHIER_*` (nested with `__`) over `luthier.toml`.

Provider sections stay raw mappings here; each provider's own options model checks them.
"""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, IPvAnyNetwork, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

GIB = 1024**3

_BUCKET_PREFIX = r"^(s3|gs|az)://[A-Za-z0-9][A-Za-z0-9._-]*(/[^?#]*)?$"


class SettingsInvalid(Exception):
    """The configuration cannot be used; the message says which setting and why."""


class Settings(BaseSettings):
    """The whole configuration, with defaults that need nothing else on the machine."""

    model_config = SettingsConfigDict(
        env_prefix="LUTHIER_",
        env_nested_delimiter="__",
        extra="forbid",
        toml_file=os.environ.get("LUTHIER_CONFIG", "luthier.toml"),
    )

    data_dir: Path = Path("luthier-data")
    """Where the embedded database, blobs, run folders and uploads live."""

    database_url: str | None = None
    """`sqlite:///...` or `postgresql://...`; by default a SQLite file in `data_dir`."""

    blobs_url: str | None = None
    """`file:///...`, `s3://...`, `gs://...` or `az://...`; by default a folder in `data_dir`."""

    admin_key: SecretStr | None = None
    """The key that requests must carry as `Authorization: Bearer`; without it loopback only."""

    max_upload_bytes: int = Field(default=10 * GIB, ge=1)
    """The largest dataset file that is taken in."""

    dataset_sources: list[Annotated[str, Field(pattern=_BUCKET_PREFIX)]] = []
    """Where in object stores users may take datasets from with this service's credentials:
    `["s3://bucket/prefix/"]`, with `gs` and `az` (container of the configured account) for `s3`."""

    allow_private_addresses: list[IPvAnyNetwork] = []
    """Networks that are not public and that requests to users' URLs may reach all the same."""

    database_pool: int = Field(default=10, ge=1, le=200)
    """Connections to Postgres that one process keeps for reading, and as many for writing."""

    log_format: str = Field(default="auto", pattern="^(auto|json|console)$")
    """`json` for machines, `console` for people; `auto` looks whether it writes to a terminal."""

    catalogue: Path | None = None
    """A TOML file with what you know better of base models: prices, limits, dates, new models."""

    providers: dict[str, dict[str, Any]] = Field(default_factory=dict[str, dict[str, Any]])
    """One section for each named connection; `kind` says what it is where the name does not."""

    @field_validator("providers")
    @classmethod
    def _lower_names(cls, sections: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        return {
            name.lower(): {option.lower(): value for option, value in section.items()}
            for name, section in sections.items()
        }

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return path.expanduser().absolute()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load() -> Settings:
    """The configuration of this process; raises `SettingsInvalid`."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = [
            f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
            for fault in error.errors(include_input=False)
        ]
        raise SettingsInvalid("; ".join(wrong)) from error
    except SettingsError as error:
        raise SettingsInvalid(f"{error}; lists and sections are written as JSON") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsInvalid(f"luthier.toml is not TOML: {error}") from error
