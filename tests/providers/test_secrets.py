"""Where an operator may keep secrets, and that what is made of them shows none."""

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from app import bootstrap
from app.domain.provider import ProviderSpec
from app.providers import catalog
from app.providers.catalog import ProviderMisconfigured
from app.settings import Settings, SettingsInvalid, load

CANARY = "canary-0f8a5c1d2e"

OWNERS = [
    (spec, name)
    for spec in catalog.specs().values()
    for name, field in spec.options.model_fields.items()
    if "SecretStr" in str(field.annotation)
]
"""Every secret option of every provider."""


def test_a_mounted_folder_holds_a_file_for_each_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mounted(
        tmp_path,
        LUTHIER_ADMIN_KEY=f"{CANARY}\n",
        LUTHIER_PROVIDERS__OPENAI__API_KEY=CANARY,
        unrelated="left alone",
    )
    monkeypatch.setenv("LUTHIER_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("LUTHIER_PROVIDERS__OPENAI__PROJECT", "proj_1")

    settings = load()

    assert settings.admin_key == SecretStr(CANARY)
    assert settings.providers == {"openai": {"api_key": CANARY, "project": "proj_1"}}
    assert CANARY not in repr(settings) + str(settings)


def test_the_environment_wins_over_the_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mounted(tmp_path, LUTHIER_ADMIN_KEY="of the folder")
    monkeypatch.setenv("LUTHIER_SECRETS_DIR", str(tmp_path))
    monkeypatch.setenv("LUTHIER_ADMIN_KEY", "of the environment")

    assert load().admin_key == SecretStr("of the environment")


def test_a_folder_that_is_not_mounted_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LUTHIER_SECRETS_DIR", str(tmp_path / "missing"))

    with pytest.raises(SettingsInvalid, match="does not exist"):
        load()


def test_wrong_settings_are_told_without_what_was_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mounted(tmp_path, LUTHIER_SECRET_KEY=CANARY, LUTHIER_PROVIDERS=CANARY)
    monkeypatch.setenv("LUTHIER_SECRETS_DIR", str(tmp_path))

    with pytest.raises(SettingsInvalid) as refused:
        load()

    assert CANARY not in str(refused.value)


@pytest.mark.parametrize(("spec", "option"), OWNERS)
def test_an_option_may_lie_in_a_file_and_shows_in_no_repr(
    spec: ProviderSpec, option: str, tmp_path: Path
) -> None:
    path = tmp_path / "secret"
    path.write_text(f"{CANARY}\n")
    section = {"kind": spec.kind, f"{option}_file": str(path)}

    house = bootstrap.build(Settings(data_dir=tmp_path, providers={"one": section}))

    options = vars(house.providers["one"]).values()
    assert CANARY not in " ".join(map(repr, [house, house.providers, *options]))
    checked = spec.options.model_validate({option: CANARY})
    assert CANARY not in repr(checked) + str(checked) + checked.model_dump_json()


def test_an_option_with_a_file_is_given_once(tmp_path: Path) -> None:
    with pytest.raises(ProviderMisconfigured, match="api_key and api_key_file") as refused:
        connect({"api_key": CANARY, "api_key_file": str(tmp_path / "secret")})

    assert CANARY not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProviderMisconfigured, match=r"providers\.openai: .*nothing-here"):
        connect({"api_key_file": str(tmp_path / "nothing-here")})


def connect(section: dict[str, Any]) -> None:
    """A connection to OpenAI."""
    catalog.connect({"openai": section}, data_dir="data")


def mounted(folder: Path, **secrets: str) -> None:
    """A folder as Kubernetes mounts a secret: links to links to what is current."""
    current = folder / "..2026_01_01"
    current.mkdir()
    os.symlink(current.name, folder / "..data")
    for name, text in secrets.items():
        (current / name).write_text(text)
        os.symlink(f"..data/{name}", folder / name)
