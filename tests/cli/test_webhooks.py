"""`luthier webhooks` and `luthier keys`: what has a secret, which is shown once."""

from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue
from threading import Thread

import pytest

from tests.cli.conftest import Luthier


class Receiver(BaseHTTPRequestHandler):
    """Takes every message."""

    taken: Queue[bytes] = Queue()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(204)
        self.end_headers()
        self.taken.put(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the tests' output is theirs."""


@pytest.fixture
def receiver() -> Generator[str]:
    """Where messages are taken."""
    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hook"
        server.shutdown()
        thread.join()


def fields(printed: str) -> dict[str, str]:
    """What stands in lines of a name and a value."""
    return dict(line.split(maxsplit=1) for line in printed.splitlines())


def test_a_webhook_is_made_tried_and_forgotten(luthier: Luthier, receiver: str) -> None:
    made = luthier.run("webhooks", "create", receiver, "--event", "job.*", "--event", "model.*")
    id = fields(made.stdout)["id"]

    luthier.run("webhooks", "test", id)

    assert b"webhook.test" in Receiver.taken.get(timeout=60)
    (sent,) = luthier.run("webhooks", "deliveries", id).stdout.splitlines()
    assert sent.split("\t")[1] == "webhook.test"
    assert luthier.run("webhooks", "resend", id, sent.split("\t")[0]).stdout == "pending\n"
    assert b"webhook.test" in Receiver.taken.get(timeout=60)
    (shown,) = luthier.run("webhooks", "list").stdout.splitlines()
    assert shown.split("\t")[:4] == [id, "yes", "job.*, model.*", receiver]
    luthier.run("webhooks", "delete", id)
    assert luthier.run("webhooks", "list").stdout == ""


def test_a_new_secret_is_another_one(luthier: Luthier, receiver: str) -> None:
    made = fields(luthier.run("webhooks", "create", receiver, "--event", "job.*").stdout)

    rotated = fields(luthier.run("webhooks", "rotate-secret", made["id"]).stdout)

    assert rotated["secret"].startswith("whsec_")
    assert rotated["secret"] != made["secret"]
    luthier.run("webhooks", "delete", made["id"])


def test_an_event_that_does_not_exist_is_refused(luthier: Luthier, receiver: str) -> None:
    refused = luthier.run("webhooks", "create", receiver, "--event", "job.sings", status=1)

    assert "job.sings" in refused.stderr


def test_a_key_opens_until_it_is_revoked(luthier: Luthier, url: str) -> None:
    made = luthier.run("keys", "create", "nightly", "--role", "viewer")
    key = fields(made.stdout)
    reader = Luthier({"LUTHIER_URL": url, "LUTHIER_KEY": key["secret"]})

    assert reader.run("jobs", "list")
    assert "role_insufficient" in reader.run("keys", "list", status=1).stderr
    assert key["id"] in luthier.run("keys", "list").stdout
    luthier.run("keys", "revoke", key["id"])
    (line,) = (
        line for line in luthier.run("keys", "list").stdout.splitlines() if key["id"] in line
    )
    assert line.split("\t")[5] == "revoked"


def test_a_rotated_key_has_another_secret(luthier: Luthier, url: str) -> None:
    key = fields(luthier.run("keys", "create", "turning", "--role", "viewer").stdout)

    rotated = fields(luthier.run("keys", "rotate", key["id"], "--grace-seconds", "0").stdout)

    assert rotated["secret"] != key["secret"]
    assert Luthier({"LUTHIER_URL": url, "LUTHIER_KEY": rotated["secret"]}).run("models", "list")
