"""`luthier sandbox`: vendors to try without an account, on this machine."""

import signal
from typing import Annotated

import typer

from app.cli.console import fail, out

sandbox = typer.Typer(
    name="sandbox",
    help="Simulate a vendor on this machine: nothing is trained, and nothing costs.",
    no_args_is_help=True,
)


@sandbox.callback()
def choose() -> None:
    """Simulate a vendor on this machine: nothing is trained, and nothing costs."""


@sandbox.command()
def openai(
    port: Annotated[
        int, typer.Option(help="Port to listen on, 0 for a free one.", min=0, max=65535)
    ] = 8081,
    beat: Annotated[
        float, typer.Option(help="Seconds between two steps of a job.", min=0.01)
    ] = 2.0,
) -> None:
    """Simulate OpenAI: files, fine-tuning jobs, models, and chat."""
    try:
        from app.sandbox.openai.conditions import Conditions, Pace
        from app.sandbox.openai.simulator import SimulatedOpenAI
    except ModuleNotFoundError as error:
        fail(f"{error.name} is not installed: pip install 'luthier[openai]'")
    ending = {signal.SIGINT, signal.SIGTERM}
    # Before the server's thread starts, which inherits it: the signal is for the wait below.
    signal.pthread_sigmask(signal.SIG_BLOCK, ending)
    conditions = Conditions(pace=Pace(by="clock", seconds=beat))
    try:
        with SimulatedOpenAI(port=port, conditions=conditions) as simulated:
            out.print(f"OpenAI, simulated, on {simulated.url} (any API key will do)")
            signal.sigwait(ending)
    except OSError as error:
        fail(f"Port {port} cannot be used: {error.strerror}")


@sandbox.command()
def vertex(
    port: Annotated[
        int, typer.Option(help="Port to listen on, 0 for a free one.", min=0, max=65535)
    ] = 8082,
    beat: Annotated[
        float, typer.Option(help="Seconds between two steps of a job.", min=0.01)
    ] = 2.0,
) -> None:
    """Simulate Vertex AI and Cloud Storage: a bucket, tuning jobs, endpoints, and answers."""
    try:
        from app.sandbox.vertex.conditions import Conditions, Pace
        from app.sandbox.vertex.simulator import SimulatedVertex
    except ModuleNotFoundError as error:
        fail(f"{error.name} is not installed: pip install 'luthier[vertex]'")
    ending = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ending)
    conditions = Conditions(pace=Pace(by="clock", seconds=beat))
    try:
        with SimulatedVertex(port=port, conditions=conditions) as simulated:
            out.print(f"Vertex AI, simulated, on {simulated.url} (bucket gs://staging, any token)")
            signal.sigwait(ending)
    except OSError as error:
        fail(f"Port {port} cannot be used: {error.strerror}")
