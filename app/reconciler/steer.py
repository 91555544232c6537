"""The steer chore: carry a wish to the provider, again and again, until it has come true."""

import asyncio
from functools import partial

from app.domain.decide import after_silence
from app.domain.errors import Steer
from app.domain.jobs import Desired
from app.reconciler import accidents, observe, work
from app.reconciler.work import Claimed, Workshop
from app.storage.queues import AWAITS_STEERING
from app.telemetry.calls import vendor_call


async def tick(shop: Workshop, name: str) -> int:
    """Carry due wishes to one provider; how many were looked at."""
    return await accidents.handle_due(shop, name, AWAITS_STEERING, partial(_carry, shop))


async def _carry(shop: Workshop, claimed: Claimed) -> None:
    """Say the wish, then look: only what is seen decides whether it came true."""
    job, provider = claimed.job, shop.providers[claimed.job.provider]
    assert job.remote is not None
    verb, say = {
        Desired.CANCEL: ("cancel", provider.cancel),
        Desired.PAUSE: ("pause", provider.pause),
        Desired.RUN: ("resume", provider.resume),
    }[job.desired]
    try:
        with vendor_call(job.provider, verb):
            async with asyncio.timeout(observe.TIMEOUT_SECONDS):
                await say(job.remote)
    except Steer as said:
        # The provider would not; what the job is by now is seen next.
        await work.heed(shop, job.provider, said)
        work.log.info("wish_refused", job=job.id, wish=job.desired, reason=str(said))
    except Exception as error:  # noqa: BLE001 - unreachable: the wish stays
        problem = work.problem_of(error)
        work.log.warning("provider_silent", job=job.id, problem=problem)
        silence = after_silence(job, problem, claimed.now, chance=shop.chance)
        await work.write(shop, claimed, silence)
        return
    await observe.look(shop, claimed)
