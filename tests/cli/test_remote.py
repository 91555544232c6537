"""What all commands over HTTP share: where the service is, keys, refusals, and no service."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import ClassVar

import pytest

from app.cli.service import free_port
from tests.cli.conftest import KEY, Luthier


def test_options_win_over_the_environment(luthier: Luthier, url: str) -> None:
    elsewhere = Luthier({"LUTHIER_URL": "http://127.0.0.1:1", "LUTHIER_KEY": "wrong"})

    told = elsewhere.ask("providers", "list", "--url", url, "--key", KEY)

    assert told == luthier.ask("providers", "list")


def test_json_is_what_the_service_said(luthier: Luthier, dataset: str) -> None:
    printed = luthier.run("datasets", "show", dataset, "--json").stdout

    assert printed.startswith('{"id":"ds_')
    assert printed.count("\n") == 1


def test_a_missing_key_is_told_with_what_to_do(url: str) -> None:
    keyless = Luthier({"LUTHIER_URL": url, "LUTHIER_KEY": None})

    assert "LUTHIER_KEY or --key" in keyless.run("jobs", "list", status=1).stderr
    assert keyless.ask("jobs", "list", status=1)["code"] == "unauthorized"


def test_no_service_is_one_line_with_what_to_do() -> None:
    nowhere = Luthier({"LUTHIER_URL": f"http://127.0.0.1:{free_port()}"})

    for more in ((), ("--json",)):
        said = nowhere.run("jobs", "list", *more, status=2)
        assert said.stdout == ""
        assert said.stderr.startswith("luthier: No service answers at http://127.0.0.1:")
        assert "luthier serve" in said.stderr
        assert said.stderr.count("\n") == 1


@pytest.mark.parametrize("wrong", ["nonsense", "ftp://host", "http://host:port"])
def test_a_wrong_url_is_named(wrong: str) -> None:
    said = Luthier({"LUTHIER_URL": wrong}).run("jobs", "list", status=2).stderr

    assert said.startswith(f"luthier: '{wrong}' is not a service's URL")


def test_a_person_gets_a_table(luthier: Luthier, dataset: str) -> None:
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in luthier.environment.items() if value}
    command = [sys.executable, "-m", "app", "datasets", "list", "--name", "echo"]
    subprocess.run(command, env=os.environ | environment, stdout=theirs, check=True)
    os.close(theirs)

    printed = os.read(ours, 10_000).decode()

    assert "\x1b[1mid" in printed
    assert dataset in printed
    os.close(ours)


class Strange(BaseHTTPRequestHandler):
    """Something that is not Luthier, and that loses the first answer to each wish."""

    keys: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self._answer(b"<h1>Welcome!</h1>")

    def do_DELETE(self) -> None:
        self.send_error(502)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.keys.append(self.headers["idempotency-key"])
        if len(self.keys) > 1:
            self._answer(b'{"id": "job_1"}')

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the tests' output is theirs."""

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def strange() -> Generator[Luthier]:
    """The command in front of something strange."""
    with HTTPServer(("127.0.0.1", 0), Strange) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield Luthier({"LUTHIER_URL": f"http://127.0.0.1:{server.server_port}"})
        server.shutdown()
        thread.join()


def test_a_creation_whose_answer_is_lost_is_repeated_with_its_key(strange: Luthier) -> None:
    Strange.keys.clear()
    recipe = ("--provider", "local", "--base-model", "luthier-tiny", "--dataset", "x")

    created = strange.run("jobs", "create", *recipe, "--json").stdout

    assert json.loads(created) == {"id": "job_1"}
    assert len(Strange.keys) == 2
    assert len(set(Strange.keys)) == 1


def test_what_is_not_luthier_is_said(strange: Luthier) -> None:
    welcome = strange.run("jobs", "list", status=2).stderr
    gateway = strange.run("models", "delete", "model_1", status=1).stderr

    assert "is not Luthier" in welcome
    assert "luthier: HTTP 502" in gateway
