"""What a host is said to be able to do decides what is offered and what is asked of it."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.errors import BaseModelUnknown, OperationNotSupported, ProviderNotConfigured
from app.domain.offers import listing
from app.domain.provider import Connection, Operation
from app.providers import catalog
from app.providers.catalog import ProviderMisconfigured
from app.providers.openai_compatible import SPEC, OpenAICompatibleOptions
from app.providers.openai_compatible.provider import OpenAICompatibleProvider
from tests.conformance.openai_compatible_stage import openai_compatible_stage
from tests.conformance.stage import plan

LLAMA = {"name": "llama-8b", "prices": [], "context_length": 8192}


def _host(correction: dict[str, Any] | None = None, **options: Any) -> OpenAICompatibleProvider:
    checked = OpenAICompatibleOptions.model_validate(options)
    return OpenAICompatibleProvider(SPEC, Connection("acme", checked, ".", correction or {}))


def test_what_is_missing_is_named_by_the_connection() -> None:
    assert _host().missing == [
        "LUTHIER_PROVIDERS__ACME__BASE_URL",
        "LUTHIER_PROVIDERS__ACME__API_KEY",
    ]


def test_a_host_offers_what_it_is_said_to_be_able_to_do() -> None:
    plain = _host().spec.operations
    able = _host(capabilities={"pause": True, "checkpoints": True}).spec.operations

    assert plain == {Operation.CANCEL, Operation.DELETE, Operation.IMPORT}
    assert able - plain == {Operation.PAUSE, Operation.RESUME, Operation.CHECKPOINTS}


def test_base_models_come_from_the_capabilities_and_the_operators_catalogue() -> None:
    price = {"unit": "training_tokens", "usd": "0.48", "source": "list", "as_of": "2026-11-01"}
    host = _host({"models": [{"name": "llama-8b", "prices": [price]}]}, capabilities=_with(LLAMA))

    found = host.base_model("ft:llama-8b:acme:weather:1")

    assert (found.context_length, found.prices[0].usd) == (8192, Decimal("0.48"))
    assert found.methods == ["sft"]
    with pytest.raises(BaseModelUnknown, match="llama-8b"):
        host.base_model("llama-9b")


def test_capabilities_that_cannot_be_read_name_their_connection() -> None:
    section = {"kind": "openai_compatible", "capabilities": _with({"name": "x", "speed": 1})}

    with pytest.raises(ProviderMisconfigured, match=r"acme.*speed"):
        catalog.connect({"acme": section}, data_dir=".")


def test_webhooks_are_taken_only_from_a_host_that_sends_them() -> None:
    with pytest.raises(OperationNotSupported):
        _host().webhook({}, b"{}")
    with pytest.raises(ProviderNotConfigured, match="ACME__WEBHOOK_SECRET"):
        _host(capabilities={"webhooks": True}).webhook({}, b"{}")


async def test_a_host_is_asked_only_for_what_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-another-vendor")
    async with openai_compatible_stage(tmp_path) as stage:
        remote = await stage.provider.submit(plan(stage))
        stage.finish(remote)
        await stage.provider.find("job-1-1")
        await stage.provider.observe(remote, None)

        asked = stage.simulated.requests

    assert not [seen for seen in asked if seen.path.endswith("checkpoints")]
    assert not [seen for seen in asked if "metadata" in str(seen.query)]
    assert not [seen for seen in asked if "openai-organization" in seen.headers]


@pytest.mark.parametrize("has_list", [True, False])
def test_a_list_of_models_is_asked_for_where_the_host_has_one(has_list: bool) -> None:
    host = _host(capabilities={"model_list": has_list})

    assert (listing(host) is not None) is has_list


def _with(*models: dict[str, Any]) -> dict[str, Any]:
    return {"base_models": list(models)}
