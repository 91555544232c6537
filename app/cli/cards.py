"""`luthier models card` and `luthier models export`: how a model came about, and its weights."""

from typing import Annotated

import typer

from app.cli.console import fail, out, say
from app.cli.remote import Remote, given, over_http, part
from app.cli.saving import Output, save

Ref = Annotated[str, typer.Argument(help="A tuned model's id, or an alias.")]


@over_http
def card(remote: Remote, ref: Ref) -> None:
    """What reproduces a model, to read; with --json as `POST /jobs` takes it."""
    path = f"/models/{part(ref)}/card"
    if remote.as_json:
        print(remote.get(path).text)
    else:
        say(remote.http.get(path, headers={"Accept": "text/markdown"}).text, end="")


@over_http
def export(
    remote: Remote,
    ref: Ref,
    *,
    weights: Annotated[
        str | None,
        typer.Option(help="adapter, or merged into its base; by default as it was trained."),
    ] = None,
    output: Output = None,
) -> None:
    """The weights of a model that was trained here, as a tar archive with all that it needs."""
    if output is None and out.is_terminal:
        fail("An archive is nothing for a terminal: name a file with -o.")
    save(remote, f"/models/{part(ref)}/export", given({"weights": weights}), output=output)
