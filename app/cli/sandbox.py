"""`luthier sandbox`: vendors to try without an account, on this machine."""

import signal
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer

from app.cli import rehearsal
from app.cli.console import fail, out

if TYPE_CHECKING:
    from app.sandbox.frame.conditions import Pace

Port = Annotated[int, typer.Option(help="Port to listen on, 0 for a free one.", min=0, max=65535)]
Beat = Annotated[float, typer.Option(help="Seconds between two steps of a job.", min=0.01)]

BEAT_SECONDS = 2.0

sandbox = typer.Typer(
    name="sandbox",
    help="Simulate a vendor on this machine: nothing is trained, and nothing costs.",
    no_args_is_help=True,
)


@sandbox.callback()
def choose() -> None:
    """Simulate a vendor on this machine: nothing is trained, and nothing costs."""


@sandbox.command()
def demo() -> None:
    """Rehearse a whole pipeline at a simulated OpenAI, faults included."""
    rehearsal.run()


@sandbox.command()
def openai(port: Port = 8081, beat: Beat = BEAT_SECONDS) -> None:
    """Simulate OpenAI: files, fine-tuning jobs, models, and chat."""
    with _needing("luthier[openai]"):
        from app.sandbox.openai.conditions import Conditions
        from app.sandbox.openai.simulator import SimulatedOpenAI
    conditions = Conditions(pace=_pace(beat))
    _serve(SimulatedOpenAI(port=port, conditions=conditions), port, "OpenAI", "any API key")


@sandbox.command()
def vertex(port: Port = 8082, beat: Beat = BEAT_SECONDS) -> None:
    """Simulate Vertex AI and Cloud Storage: a bucket, tuning jobs, endpoints, and answers."""
    with _needing("luthier[vertex]"):
        from app.sandbox.vertex.conditions import Conditions
        from app.sandbox.vertex.simulator import SimulatedVertex
    conditions = Conditions(pace=_pace(beat))
    hint = "bucket gs://staging, any token"
    _serve(SimulatedVertex(port=port, conditions=conditions), port, "Vertex AI", hint)


@sandbox.command()
def azure_openai(port: Port = 8083, beat: Beat = BEAT_SECONDS) -> None:
    """Simulate Azure OpenAI: both of its APIs, and deployments by Resource Manager."""
    with _needing("luthier[azure]"):
        from app.sandbox.azure_openai.conditions import AzureConditions
        from app.sandbox.azure_openai.simulator import SimulatedAzureOpenAI
    conditions = AzureConditions(pace=_pace(beat))
    simulated = SimulatedAzureOpenAI(port=port, conditions=conditions)
    _serve(simulated, port, "Azure OpenAI", "any key, any token")


@sandbox.command()
def azure_ml(port: Port = 8084, beat: Beat = BEAT_SECONDS) -> None:
    """Simulate Azure ML: a workspace's jobs, models, and blob storage."""
    from app.sandbox.azure_ml.conditions import Conditions
    from app.sandbox.azure_ml.simulator import SimulatedAzureML

    conditions = Conditions(pace=_pace(beat))
    hint = "compute cluster, blobs at /blobs, any token"
    _serve(SimulatedAzureML(port=port, conditions=conditions), port, "Azure ML", hint)


class _Simulated(AbstractContextManager[Any], Protocol):
    @property
    def url(self) -> str: ...


@contextmanager
def _needing(extra: str) -> Generator[None]:
    """A vendor's own types may be missing: say what brings them."""
    try:
        yield
    except ModuleNotFoundError as error:
        fail(f"{error.name} is not installed: pip install '{extra}'")


def _pace(seconds: float) -> "Pace":
    from app.sandbox.frame.conditions import Pace

    return Pace(by="clock", seconds=seconds)


def _serve(simulated: _Simulated, port: int, title: str, hint: str) -> None:
    """Serve until the command is told to end."""
    ending = {signal.SIGINT, signal.SIGTERM}
    # Before the server's thread starts, which inherits it: the signal is for the wait below.
    signal.pthread_sigmask(signal.SIG_BLOCK, ending)
    try:
        with simulated:
            out.print(f"{title}, simulated, on {simulated.url} ({hint})")
            signal.sigwait(ending)
    except OSError as error:
        fail(f"Port {port} cannot be used: {error.strerror}")
