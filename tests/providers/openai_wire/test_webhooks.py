"""A webhook counts only when it is signed, now, with the right secret."""

import base64
import json
import time

import pytest
from openai import OpenAI

from app.domain.errors import Invalid, Unauthorized
from app.providers.openai_wire.webhooks import job_of
from tests.providers.signing import signed

SECRET = "whsec_" + base64.b64encode(b"a secret of some length").decode()
NOW = 1_800_000_000
BODY = json.dumps({"type": "fine_tuning.job.succeeded", "data": {"id": "ftjob-1"}}).encode()


def test_a_signed_message_names_its_job() -> None:
    headers = signed(BODY, SECRET, at=NOW)

    assert job_of(headers, BODY, secret=SECRET, now=NOW + 299) == "ftjob-1"


def test_one_of_several_signatures_is_enough() -> None:
    headers = signed(BODY, SECRET, at=NOW)
    headers["webhook-signature"] = "v1,b3RoZXI= v2,new " + headers["webhook-signature"]

    assert job_of(headers, BODY, secret=SECRET, now=NOW) == "ftjob-1"


def test_the_vendors_own_library_agrees_on_the_signature() -> None:
    headers = signed(BODY, SECRET, at=int(time.time()))

    OpenAI(api_key="none", webhook_secret=SECRET).webhooks.verify_signature(BODY, headers)


def test_news_about_something_else_is_about_no_job() -> None:
    body = json.dumps({"type": "batch.completed", "data": {"id": "batch_1"}}).encode()

    assert job_of(signed(body, SECRET, at=NOW), body, secret=SECRET, now=NOW) is None


@pytest.mark.parametrize(
    "spoiled",
    [
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "9" * 5000},
        {"webhook-timestamp": str(NOW - 301)},
        {"webhook-timestamp": str(NOW + 301)},
        {"webhook-timestamp": str(NOW - 1)},
        {"webhook-id": "another"},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,\u00fc"},
    ],
)
def test_anything_else_is_refused(spoiled: dict[str, str]) -> None:
    headers = signed(BODY, SECRET, at=NOW) | spoiled

    with pytest.raises(Unauthorized):
        job_of(headers, BODY, secret=SECRET, now=NOW)


def test_a_message_without_headers_is_refused() -> None:
    with pytest.raises(Unauthorized):
        job_of({}, BODY, secret=SECRET, now=NOW)


def test_a_signed_riddle_is_refused_as_such() -> None:
    body = b'{"type": 1}'

    with pytest.raises(Invalid):
        job_of(signed(body, SECRET, at=NOW), body, secret=SECRET, now=NOW)
