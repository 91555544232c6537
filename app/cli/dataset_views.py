"""How the answers about datasets read in a terminal."""

import json
from collections.abc import Iterable
from typing import Any

from app.cli.console import print_fields, print_rows, remark, say, show_more
from app.cli.names import version

LINES_SHOWN = 20

Answer = dict[str, Any]


def show_dataset(dataset: Answer) -> None:
    """One version."""
    made_by = dataset["made_by"]
    print_fields(
        {
            "id": dataset["id"],
            "version": version(dataset),
            "kind": dataset["kind"],
            "format": dataset["format"],
            "examples": dataset["examples"],
            "tokens": dataset["tokens"],
            "bytes": dataset["bytes"],
            "sha256": dataset["sha256"],
            "set aside": dataset["rejected"] or None,
            "parent": dataset["parent"],
            "made by": made_by and made_by["operation"],
            "created": dataset["created_at"],
        }
    )


def show_report(report: Answer) -> None:
    """The next best thing to do, then what was found, each with its lines."""
    say(f"{version(report['dataset'])}  report {report['status']}", style="bold")
    if report["status"] == "running":
        say(f"{report['progress']['percent']:g} % examined; what follows was found so far")
    if report["error"]:
        say(f"{report['error']['code']}: {report['error']['message']}", style="red")
    if report["next"]:
        say(f"next: {report['next']}", style="bold green")
    say(f"{report['quantity']['level']}: {report['quantity']['message']}")
    for finding in (report["report"] or {}).get("findings", []):
        _show_finding(finding)


def show_compilation(compiled: Answer) -> None:
    """Whether it fits, and why not, by line."""
    fits = "fits" if compiled["ok"] else "does not fit"
    target = f"{compiled['provider']}/{compiled['base_model']}"
    say(f"{fits} {target} ({compiled['method']['type']})", style="bold")
    measure = compiled["token_measure"]
    exactness = "counted" if measure["exact"] else "estimated"
    say(
        f"{compiled['examples']} examples, {compiled['tokens']} tokens an epoch ({exactness} with "
        f"{measure['name']}), {compiled['longest_example']} in the longest"
    )
    for title, many in (("error", "errors"), ("warning", "warnings"), ("loss", "losses")):
        _show_remarks(title, compiled[many], compiled[f"{title}_count"])


def show_split(split: Answer) -> None:
    """The parts, each a version of its own."""
    print_rows(
        ("part", "id", "version", "examples"),
        (
            (name, made["id"], version(made), made["examples"])
            for name, made in split["parts"].items()
            if made is not None
        ),
    )
    spread = "labels spread evenly" if split["stratified"] else "no labels to spread"
    remark(f"seed {split['seed']}, {split['groups']} groups that stay together, {spread}")


def show_diff(diff: Answer) -> None:
    """Each change with its lines: what was is marked `-`, what is `+`."""
    before = version(diff["from"]) if diff["from"] else "nothing"
    say(
        f"{before} -> {version(diff['to'])}: {diff['added']} added, {diff['removed']} removed, "
        f"{diff['changed']} changed, {diff['unchanged']} the same",
        style="bold",
    )
    for change in diff["data"]:
        _show_side("-", change["line_before"], change["example_before"], style="red")
        _show_side("+", change["line"], change["example"], style="green")
    show_more(diff)


def _show_finding(finding: Answer) -> None:
    style = "red" if finding["severity"] == "error" else "yellow"
    say(f"\n{finding['severity']}: {finding['code']} ({finding['count']})", style=style)
    say(f"  {finding['message']}")
    together = [_joined(group) for group in finding["groups"][:LINES_SHOWN]]
    if together:
        say(f"  lines {'; '.join(together)}")
    elif finding["lines"]:
        say(f"  lines {_joined(finding['lines'])}")
    say(f"  do: {finding['advice']}")


def _joined(lines: list[int]) -> str:
    shown = ", ".join(str(line) for line in lines[:LINES_SHOWN])
    return shown if len(lines) <= LINES_SHOWN else f"{shown} ..."


def _show_remarks(title: str, remarks: Iterable[Answer], count: int) -> None:
    shown = 0
    for told in remarks:
        place = f"line {told['line']}" if told["line"] else told["pointer"] or "all"
        say(f"{title:<8} {place:<12} {told['code']}: {told['message']}")
        shown += 1
    if count > shown:
        say(f"{title:<8} and {count - shown} more")


def _show_side(mark: str, line: int | None, example: Answer | None, *, style: str) -> None:
    if example is not None:
        say(f"{mark} {line:>6}  {json.dumps(example, ensure_ascii=False)}", style=style)
