"""Webhooks: who wants what, when it is tried again, when an endpoint is given up."""

import random

import pytest

from app.domain.errors import EventTypeUnknown
from app.domain.webhook_deliveries import (
    WAITS,
    Delivery,
    DeliveryState,
    Outcome,
    after_try,
)
from app.domain.webhook_endpoints import (
    DISABLED_AFTER_MILLIS,
    EVENT_TYPES,
    MAX_SECRETS,
    OLD_SECRET_MILLIS,
    OPENAI_TYPES,
    SealedSecret,
    WebhookEndpoint,
    WebhookFormat,
    after_failure,
    check_events,
    rotated,
)

HOUR = 3600


def endpoint(*events: str, format: WebhookFormat = WebhookFormat.STANDARD) -> WebhookEndpoint:
    """An endpoint with one secret."""
    return WebhookEndpoint(
        id="whk_1",
        url="https://hooks.example/",
        events=list(events),
        format=format,
        secrets=[SealedSecret("first")],
        created_at=0,
    )


def delivery(attempts: int = 0) -> Delivery:
    """One on its way."""
    return Delivery(
        number=1,
        id="whd_1",
        endpoint_id="whk_1",
        event_id="evt_1",
        type="job.failed",
        subject="job_1",
        status="failed",
        details={},
        at=0,
        attempts=attempts,
    )


def test_a_family_has_all_its_types_and_no_other() -> None:
    wanted = [type_ for type_ in EVENT_TYPES if endpoint("model.*", "job.failed").wants(type_)]

    assert {type_.partition(".")[0] for type_ in wanted} == {"model", "job"}
    assert [type_ for type_ in wanted if type_.startswith("job")] == ["job.failed"]
    assert endpoint("job.*").wants("job.from_an_outside_provider")
    assert not endpoint("job.*").wants("jobs.failed")


def test_openai_s_form_tells_what_openai_tells() -> None:
    hook = endpoint("job.*", format=WebhookFormat.OPENAI)

    assert tuple(type_ for type_ in EVENT_TYPES if hook.wants(type_)) == OPENAI_TYPES


@pytest.mark.parametrize("format", WebhookFormat)
def test_every_type_that_is_told_may_be_asked_for(format: WebhookFormat) -> None:
    check_events(["job.*", "job.succeeded"], format)
    with pytest.raises(EventTypeUnknown):
        check_events(["webhook.disabled"], format)


def test_it_is_tried_for_about_a_day_and_then_given_up() -> None:
    waits: list[float] = []
    while (change := after_try(delivery(len(waits)), Outcome(500), random.Random(1))).try_again_in:
        waits.append(change.try_again_in)

    assert change.state is DeliveryState.DEAD
    assert len(waits) == len(WAITS)
    assert waits == sorted(waits)
    assert 23 * HOUR < sum(waits) < 26 * HOUR


@pytest.mark.parametrize(
    ("status", "is_taken"), [(200, True), (204, True), (199, False), (302, False)]
)
def test_2xx_takes_a_message(status: int, is_taken: bool) -> None:
    change = after_try(delivery(), Outcome(status), random.Random(1))

    assert (change.state is DeliveryState.DELIVERED) == is_taken


def test_an_endpoint_that_fails_for_days_is_disabled() -> None:
    hook = after_failure(endpoint("job.*"), 500, now=1000)
    later = after_failure(hook, None, now=1000 + DISABLED_AFTER_MILLIS - 1)
    last = after_failure(later, None, now=1000 + DISABLED_AFTER_MILLIS)

    assert (hook.failing_since, hook.rest_until) == (1000, 3000)
    assert (later.enabled, last.enabled) == (True, False)
    assert after_failure(endpoint("job.*"), 410, now=0).enabled is False


def test_old_secrets_sign_for_a_day_each() -> None:
    hook = rotated(endpoint("job.*"), "second", now=0)
    hook = rotated(hook, "third", now=OLD_SECRET_MILLIS // 2)

    assert hook.signing(OLD_SECRET_MILLIS - 1) == ["third", "second", "first"]
    assert hook.signing(OLD_SECRET_MILLIS) == ["third", "second"]
    assert hook.signing(OLD_SECRET_MILLIS * 2) == ["third"]


def test_secrets_do_not_pile_up() -> None:
    hook = endpoint("job.*")
    for number in range(9):
        hook = rotated(hook, f"secret {number}", now=number)

    assert len(hook.secrets) == MAX_SECRETS
    assert hook.signing(10)[0] == "secret 8"
