"""The deploy chore: have models deployed as they are wished, and pay for none that is not.

The provider names a deployment after its model, so that deploying once more is harmless: after a
crash between the call and its writing the deployment is found, not doubled.
"""

import asyncio

from app.domain.decide import backoff_seconds
from app.domain.errors import Later, Never, Steer, YourTurn
from app.domain.hosting import (
    Hosting,
    HostingChange,
    HostingState,
    after_look,
    after_refusal,
    after_removal,
    why_over,
)
from app.domain.jobs import Millis
from app.domain.provider import Deploying, DeploymentState
from app.reconciler import work
from app.reconciler.work import Workshop
from app.storage import hosting, tenancy
from app.storage.hosting import HostingRow
from app.telemetry.calls import vendor_call

BATCH = 20
"""Models of one provider that one tick takes at most."""

TIMEOUT_SECONDS = 60.0


async def tick(shop: Workshop, name: str) -> int:
    """Look at due deployments of one provider; how many were looked at."""
    provider = shop.providers[name]
    if not isinstance(provider, Deploying):
        return 0
    async with shop.database.read() as connection:
        if not await hosting.is_any_due(connection, name):
            return 0
    async with shop.database.write() as connection:
        claimed = await hosting.claim(connection, provider=name, owner=shop.owner, limit=BATCH)
    await asyncio.gather(*(_carry(shop, provider, one, now) for one, now in claimed))
    return len(claimed)


async def _carry(shop: Workshop, provider: Deploying, one: Hosting, now: Millis) -> None:
    try:
        async with work.held(shop, HostingRow, one.id, one.epoch):
            with vendor_call(one.provider, "deployment"):
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    change = await _step(provider, one, now)
    except Steer as said:
        await work.heed(shop, one.provider, said)
        change = _after_word(one, said)
    except Exception as error:  # noqa: BLE001 - unreachable: the wish stays
        problem = work.problem_of(error)
        work.log.warning("provider_silent", provider=one.provider, model=one.id, problem=problem)
        failures = one.failures + 1
        wait = backoff_seconds(failures, shop.chance)
        change = HostingChange({"failures": failures}, look_again_in=wait)
    await _write(shop, one, change)


async def _step(provider: Deploying, one: Hosting, now: Millis) -> HostingChange:
    why = why_over(one, now)
    if why is not None:
        await provider.undeploy(one.artifact)
        return after_removal(one, await provider.deployment(one.artifact), now, why=why)
    seen = await provider.deployment(one.artifact)
    is_lost = seen is None and one.since is not None
    is_anew = one.state is HostingState.QUEUED
    if seen is None or (is_anew and seen.state is DeploymentState.FAILED):
        seen = await provider.deploy(one.artifact, tier=one.tier)
    return after_look(one, seen, now, lost=is_lost)


def _after_word(one: Hosting, said: Steer) -> HostingChange:
    if isinstance(said, Later):
        return HostingChange({"detail": said.reason}, look_again_in=said.retry_after)
    assert isinstance(said, Never | YourTurn)
    return after_refusal(one, said.message)


async def _write(shop: Workshop, one: Hosting, change: HostingChange) -> None:
    async with shop.database.write() as connection:
        with tenancy.working_for(tenancy.account_of(one)):
            is_ours = await hosting.apply(connection, one, change)
    if not is_ours:
        work.lost_lease("deployment", one.id, epoch=one.epoch)
