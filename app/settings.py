"""What an operator can set: environment `LUTHIER_*` (nested with `__`) over `luthier.toml`.

Between the two stands `LUTHIER_SECRETS_DIR`: a file for each setting, named as in the environment.

Provider sections stay raw mappings here; each provider's own options model checks them.
"""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

GIB = 1024**3

_BUCKET_PREFIX = r"^(s3|gs|az)://[A-Za-z0-9][A-Za-z0-9._-]*(/[^?#]*)?$"

ROLES = ("viewer", "developer", "operator", "admin")

_ISSUER = r"^(https://|http://(localhost|127\.0\.0\.1)(:[0-9]+)?(/|$))"
"""Keys that come in clear could be anybody's, but for those of this very machine."""


class SettingsInvalid(Exception):
    """The configuration cannot be used; the message says which setting and why."""


class Oidc(BaseModel):
    """An OpenID Connect issuer, and how its tokens say what their bearers may do."""

    model_config = ConfigDict(extra="forbid")

    issuer: Annotated[str, Field(pattern=_ISSUER)]
    """Its URL, as its tokens name it."""

    audience: str
    """What its tokens must be meant for."""

    role_claim: str = "roles"
    """The claim with the bearer's roles; `a.b` reads into the object `a`."""

    roles: dict[str, str] = {role: role for role in ROLES}
    """Which of ours each role of the issuer is: `{"ml-team": "developer"}`."""

    project_claim: str | None = None
    """The claim with the bearer's project; without it everybody works in `default`."""

    @field_validator("roles")
    @classmethod
    def _known(cls, roles: dict[str, str]) -> dict[str, str]:
        for role in set(roles.values()) - set(ROLES):
            raise ValueError(f"{role} is no role: use {', '.join(ROLES)}")
        return roles


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

    database_url: str | None = Field(default=None, repr=False)
    """`sqlite:///...` or `postgresql://...`; by default a SQLite file in `data_dir`."""

    blobs_url: str | None = None
    """`file:///...`, `s3://...`, `gs://...` or `az://...`; by default a folder in `data_dir`."""

    admin_key: SecretStr | None = None
    """The key that requests must carry as `Authorization: Bearer`; without it loopback only."""

    secret_key: SecretStr | None = Field(default=None, min_length=32)
    """What secrets that must be readable again are encrypted with, alike in all processes. With an
    embedded database a key of its own lies in `data_dir`."""

    rate_limit_per_minute: int | None = Field(default=None, ge=1)
    """Requests a minute that a key may send which has no limit of its own; the admin key any."""

    request_seconds: float = Field(default=600.0, gt=0)
    """After how long without an answer a request is broken off; uploads may take longer."""

    drain_seconds: float = Field(default=3.0, ge=0, le=600)
    """How long, told to end, the service is served to the last but not ready: what a load balancer
    needs to see it."""

    oidc: Oidc | None = None
    """Whose tokens open the service as well."""

    max_upload_bytes: int = Field(default=10 * GIB, ge=1)
    """The largest dataset file that is taken in."""

    dataset_sources: list[Annotated[str, Field(pattern=_BUCKET_PREFIX)]] = []
    """Where in object stores users may take datasets from with this service's credentials:
    `["s3://bucket/prefix/"]`, with `gs` and `az` (container of the configured account) for `s3`."""

    allow_private_addresses: list[IPvAnyNetwork] = []
    """Networks that are not public and that requests to users' URLs, such as those of datasets and
    webhooks, may reach all the same."""

    database_pool: int = Field(default=10, ge=1, le=200)
    """Connections to Postgres that one process keeps for reading, and as many for writing."""

    poll_seconds: float = Field(default=0.5, ge=0.01, le=60)
    """How long a process that found nothing to do waits before it asks the database for work again;
    what is asked for at this very process it begins at once."""

    log_format: str = Field(default="auto", pattern="^(auto|json|console)$")
    """`json` for machines, `console` for people; `auto` looks whether it writes to a terminal."""

    worker_metrics: str | None = Field(default=None, pattern=r"^\S+:[0-9]{1,5}$")
    """Where `luthier worker` tells its metrics, as `address:port`; by default nowhere. The API
    tells its own at `/metrics`."""

    catalogue: Path | None = None
    """A TOML file with what you know better of base models: prices, limits, dates, new models."""

    providers: dict[str, dict[str, Any]] = Field(
        default_factory=dict[str, dict[str, Any]], repr=False
    )
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
        """The environment wins over files of secrets, and those over `luthier.toml`."""
        secrets = NestedSecretsSettingsSource(
            file_secret_settings,
            secrets_dir=os.environ.get("LUTHIER_SECRETS_DIR") or None,
            secrets_dir_missing="error",  # pragma: allowlist secret
        )
        return init_settings, env_settings, secrets, TomlConfigSettingsSource(settings_cls)


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
