"""What an operator opens, as the environment says it."""

from ipaddress import ip_network

import pytest

from app.settings import SettingsInvalid, load

NETWORKS = "LUTHIER_ALLOW_PRIVATE_ADDRESSES"
PREFIXES = "LUTHIER_DATASET_SOURCES"


def test_nothing_is_open_at_first() -> None:
    assert (load().allow_private_addresses, load().dataset_sources) == ([], [])


def test_lists_are_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NETWORKS, '["10.1.0.0/16", "fd12::7"]')
    monkeypatch.setenv(PREFIXES, '["s3://team-data/a/", "gs://bucket", "az://container/"]')
    opened = load()
    assert opened.allow_private_addresses == [ip_network("10.1.0.0/16"), ip_network("fd12::7/128")]
    assert len(opened.dataset_sources) == 3


@pytest.mark.parametrize("given", ["10.0.0.0/8", '["10.0.0.1/8"]', '["internal.example"]', '"x"'])
def test_networks_that_are_none(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv(NETWORKS, given)
    with pytest.raises(SettingsInvalid, match="allow_private_addresses"):
        load()


@pytest.mark.parametrize(
    "prefix", ["s3://", "s3:///a", "file:///", "https://a/", "team", "s3://*/"]
)
def test_prefixes_that_are_none(monkeypatch: pytest.MonkeyPatch, prefix: str) -> None:
    monkeypatch.setenv(PREFIXES, f'["{prefix}"]')
    with pytest.raises(SettingsInvalid, match="dataset_sources"):
        load()
