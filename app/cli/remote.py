"""What the commands over HTTP share: where the service is, and what becomes of its answers."""

import inspect
import json
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Annotated, Any, NoReturn
from urllib.parse import quote
from uuid import uuid4

import httpx
import typer

from app.cli.console import complain, fail

Command = Callable[..., None]
View = Callable[[Any], None]

Limit = Annotated[int, typer.Option(min=1, max=200, help="How many at the most.")]
Cursor = Annotated[str | None, typer.Option(help="Where a list goes on.", show_default=False)]

THIS_MACHINE = ("127.0.0.1", "localhost", "[::1]")

_TIMEOUT = httpx.Timeout(10.0, read=600.0, write=600.0)
"""Seconds; an upload is answered when all of it has been checked."""

_OPTIONS: dict[str, Any] = {
    "url": Annotated[str, typer.Option(envvar="LUTHIER_URL", help="Where the service is.")],
    "key": Annotated[
        str | None, typer.Option(envvar="LUTHIER_KEY", help="The key, where it asks for one.")
    ],
    "as_json": Annotated[bool, typer.Option("--json", help="Print the answer as it came.")],
}
_DEFAULTS = {"url": "http://127.0.0.1:8000", "key": None, "as_json": False}


class Refused(Exception):
    """An answer that says no."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(response.status_code)
        self.response = response


@dataclass(frozen=True)
class Remote:
    """The service as one command speaks to it; a refusal ends the command."""

    http: httpx.Client
    as_json: bool

    def get(self, path: str, **asked: Any) -> httpx.Response:
        """The answer; what is asked with None is not asked."""
        return self.http.get(path, params=given(asked))

    def put(self, path: str, body: dict[str, Any]) -> httpx.Response:
        """The answer to a body."""
        return self.http.put(path, json=body)

    def delete(self, path: str) -> httpx.Response:
        """The answer to a wish that something is no more."""
        return self.http.delete(path)

    def post(self, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        """The answer to a body, if there is one."""
        return self.http.post(path, json=body)

    def create(self, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        """The answer to a wish; where it is lost it is asked for again, and nothing made twice."""
        headers = {"Idempotency-Key": uuid4().hex}
        try:
            return self.http.post(path, json=body, headers=headers)
        except (httpx.ReadError, httpx.RemoteProtocolError):
            return self.http.post(path, json=body, headers=headers)

    def show(self, response: httpx.Response, view: View) -> None:
        """Print an answer for a program as it came, or for a person."""
        if self.as_json:
            print(response.text)
        else:
            view(response.json())


def over_http(command: Command) -> Command:
    """A command whose first argument is the `Remote` that its options `--url` and `--key` mean."""
    signature = inspect.signature(command)
    _, *own = signature.parameters.values()

    @wraps(command)
    def run(*args: Any, url: str, key: str | None, as_json: bool, **given: Any) -> None:
        with explained(url, as_json=as_json), connected(url, key) as http:
            command(Remote(http, as_json), *args, **given)

    shared = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=_DEFAULTS[name], annotation=option
        )
        for name, option in _OPTIONS.items()
    ]
    parameters = [*own, *shared]
    # Typer reads both.
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    run.__dict__["__signature__"] = signature.replace(parameters=parameters)
    return run


@contextmanager
def connected(url: str, key: str | None) -> Generator[httpx.Client]:
    """A client of the service; an answer that says no raises `Refused`."""
    # One for all: each reads every certificate that this machine trusts.
    trusted = httpx.create_ssl_context()
    with httpx.Client(
        base_url=url,
        verify=trusted,
        headers={"Authorization": f"Bearer {key}"} if key else {},
        timeout=_TIMEOUT,
        # A proxy of the environment cannot see this machine's own addresses.
        mounts={f"all://{host}": httpx.HTTPTransport(verify=trusted) for host in THIS_MACHINE},
        event_hooks={"response": [_admit]},
    ) as http:
        yield http


@contextmanager
def explained(url: str, *, as_json: bool) -> Generator[None]:
    """Say in plain words why there is no answer, or a refusal."""
    try:
        yield
    except Refused as refused:
        _end_refused(refused.response, as_json=as_json)
    except (httpx.UnsupportedProtocol, httpx.InvalidURL):
        fail(f"{url!r} is not a service's URL: write it like http://127.0.0.1:8000")
    except httpx.ConnectError as error:
        fail(
            f"No service answers at {url} ({error}). Start one with `luthier serve`, or say where "
            "it is with --url or LUTHIER_URL."
        )
    except httpx.TransportError as error:
        fail(f"The answer of {url} was lost ({error or type(error).__name__}). Try again.")
    except json.JSONDecodeError as error:
        fail(f"What answers at {url} is not Luthier: {error}")


def part(text: str) -> str:
    """A name as a part of a path."""
    return quote(text, safe="@/:")


def given(fields: dict[str, Any]) -> dict[str, Any]:
    """Only what was said: the rest is for the service to choose."""
    return {name: value for name, value in fields.items() if value is not None}


def pairs(texts: list[str] | None, separator: str) -> dict[str, str]:
    """`name=value` as a mapping; a text without the separator ends the command."""
    found: dict[str, str] = {}
    for text in texts or []:
        name, middle, value = text.partition(separator)
        if not middle:
            raise typer.BadParameter(f"{text!r} is not NAME{separator}VALUE")
        found[name] = value
    return found


def values(texts: list[str] | None) -> dict[str, Any]:
    """`name=value` with numbers, booleans and lists as JSON, and everything else as text."""
    return {name: _value(text) for name, text in pairs(texts, "=").items()}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _admit(response: httpx.Response) -> None:
    if response.is_error or response.has_redirect_location:
        response.read()
        raise Refused(response)


def _end_refused(response: httpx.Response, *, as_json: bool) -> NoReturn:
    """The problem as it came, or its code, what it says, and what is wrong where."""
    if as_json:
        print(response.text)
    else:
        problem = _problem(response)
        complain(f"{problem['code']}: {problem['detail']}", *_details(problem), *_wait(response))
    sys.exit(1)


def _details(problem: dict[str, Any]) -> list[str]:
    faults = problem.get("errors") or []
    said = [f"{_place(fault):<10} {_reason(fault, problem['detail'])}" for fault in faults]
    unsaid = (problem.get("error_count") or 0) - len(faults)
    if unsaid > 0:
        said.append(f"and {unsaid} more")
    if problem["code"] == "unauthorized":
        said.append("The key is taken from LUTHIER_KEY or --key.")
    return said


def _wait(response: httpx.Response) -> list[str]:
    seconds = response.headers.get("retry-after")
    return [f"Try again in {seconds} seconds."] if seconds else []


def _problem(response: httpx.Response) -> dict[str, Any]:
    if response.headers.get("content-type", "").startswith("application/problem+json"):
        return response.json()
    said = response.text.strip().partition("\n")[0][:200] or response.reason_phrase
    return {"code": f"HTTP {response.status_code}", "detail": said}


def _reason(fault: dict[str, Any], said: str) -> str:
    """The fault in words, unless they were just said."""
    return fault["code"] if fault["message"] in said else f"{fault['code']}: {fault['message']}"


def _place(fault: dict[str, Any]) -> str:
    if fault.get("line"):
        return f"line {fault['line']}"
    return fault.get("pointer") or "-"
