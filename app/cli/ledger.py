"""`luthier ledger`: what was quoted, and what it came to."""

from typing import Annotated, Any

import typer

from app.cli.console import print_rows, show_more
from app.cli.names import minute
from app.cli.remote import Cursor, Limit, Remote, given, over_http
from app.cli.saving import Output, save


@over_http
def ledger(
    remote: Remote,
    *,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="MOMENT", help="From then on: 2026-11-01."),
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="MOMENT", help="Before this moment.")
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Sums by provider, base_model or tag:<key> instead of lines."
        ),
    ] = None,
    csv: Annotated[bool, typer.Option("--csv", help="All of it, as CSV.")] = False,
    output: Output = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> None:
    """What trainings, hosting and evaluations were quoted at and what they cost, newest first."""
    asked = {"from": start, "to": end, "group_by": group}
    if output and not csv:
        raise typer.BadParameter("-o writes CSV: add --csv")
    if csv:
        save(remote, "/ledger", given(asked), output=output, accept="text/csv")
        return
    found = remote.get("/ledger", **asked, limit=limit, cursor=cursor)
    remote.show(found, _show_lines if group is None else _show_sums)


def _show_lines(page: dict[str, Any]) -> None:
    print_rows(
        ("at", "kind", "where", "quoted USD", "actual USD", "for"),
        (
            (
                minute(line["at"]),
                line["kind"],
                "/".join(filter(None, (line["provider"], line["base_model"]))),
                line["quoted_usd"],
                line["actual_usd"],
                line["job"] or line["model"] or line["evaluation"],
            )
            for line in page["data"]
        ),
    )
    show_more(page)


def _show_sums(page: dict[str, Any]) -> None:
    print_rows(
        ("group", "entries", "quoted USD", "actual USD", "variance USD"),
        (
            (
                line["group"],
                line["entries"],
                line["quoted_usd"],
                line["actual_usd"],
                line["variance_usd"],
            )
            for line in page["data"]
        ),
    )
    show_more(page)
