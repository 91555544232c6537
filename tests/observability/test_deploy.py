"""What operators are given speaks of what there is: rules, dashboard, runbook, and the diagram."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import yaml
from prometheus_client.parser import text_string_to_metric_families

from app.domain.jobs import TRANSITIONS

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()

ENDINGS = {"counter": ["_total"], "histogram": ["_count", "_sum", "_bucket"], "gauge": [""]}


async def test_every_metric_that_is_named_is_told(idle_client: httpx.AsyncClient) -> None:
    page = (await idle_client.get("/metrics")).text
    told = {
        family.name + ending
        for family in text_string_to_metric_families(page)
        for ending in ENDINGS.get(family.type, [])
    }

    named = {name for one in (*_asked_by_alerts(), *_asked_by_dashboard()) for name in _names(one)}

    assert len(named) > 15
    assert named - told == set()


async def test_the_table_has_every_metric(idle_client: httpx.AsyncClient) -> None:
    page = (await idle_client.get("/metrics")).text
    told = {family.name for family in text_string_to_metric_families(page)}

    described = set(re.findall(r"^\| `(luthier_[a-z_]+)` \|", OPERATIONS, re.MULTILINE))

    assert described == {name for name in told if name.startswith("luthier_")}


def test_every_alert_has_its_runbook_and_every_runbook_its_alert() -> None:
    alerts = [rule["alert"] for rule in _rules()]

    runbooks = re.findall(r"^### (Luthier[A-Za-z]+)$", OPERATIONS, re.MULTILINE)

    assert sorted(alerts) == sorted(runbooks)


def test_every_rule_is_whole() -> None:
    for rule in _rules():
        assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"]["summary"]
        assert re.fullmatch(r"[0-9]+m", rule.get("for", "1m"))
        assert rule["expr"].count("(") == rule["expr"].count(")")


def test_the_scrape_example_reads_the_rules_and_both_kinds_of_process() -> None:
    given = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]

    [job] = given["scrape_configs"]
    targets = [target for one in job["static_configs"] for target in one["targets"]]

    assert all((DEPLOY / "prometheus" / name).exists() for name in given["rule_files"])
    assert {target.split(":")[0] for target in targets} <= services.keys()
    place = services["worker"]["environment"]["LUTHIER_WORKER_METRICS"]
    assert f"worker:{place.split(':')[1]}" in targets


def test_panels_are_told_apart_and_do_not_overlap() -> None:
    panels = _dashboard()["panels"]
    places = [
        (x, y)
        for grid in (panel["gridPos"] for panel in panels)
        for x in range(grid["x"], grid["x"] + grid["w"])
        for y in range(grid["y"], grid["y"] + grid["h"])
    ]

    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len(set(places)) == len(places)
    assert all(x < 24 for x, _ in places)


def test_the_diagram_draws_exactly_the_transitions() -> None:
    lines = OPERATIONS.split("```mermaid")[1].split("```")[0].splitlines()[2:]
    frames = _frames(lines)
    edges = (re.fullmatch(r" *(\w+) --> (\w+)(: .+)?", line) for line in lines)

    drawn = {
        (left, entered)
        for edge in edges
        if edge is not None
        for left in frames.get(edge[1], [edge[1]])
        for entered in frames.get(edge[2], [edge[2]])
    }

    # To stay is no edge worth drawing.
    pairs = {(left, entered) for left, after in TRANSITIONS.items() for entered in after}
    assert drawn == {(left, entered) for left, entered in pairs if left != entered}


def _frames(lines: list[str]) -> dict[str, list[str]]:
    """The states in each frame."""
    frames: dict[str, list[str]] = {}
    name = None
    for line in lines:
        if opened := re.fullmatch(r" *state (\w+) \{", line):
            name = opened[1]
            frames[name] = []
        elif line.strip() == "}":
            name = None
        elif name is not None and (state := line.split()[0]) not in frames[name]:
            frames[name].append(state)
    return frames


def _rules() -> list[dict[str, Any]]:
    [group] = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"]
    return group["rules"]


def _dashboard() -> dict[str, Any]:
    return json.loads((DEPLOY / "grafana" / "luthier.json").read_text())


def _asked_by_alerts() -> Iterator[str]:
    return (rule["expr"] for rule in _rules())


def _asked_by_dashboard() -> Iterator[str]:
    return (one["expr"] for panel in _dashboard()["panels"] for one in panel.get("targets", []))


def _names(expression: str) -> set[str]:
    return set(re.findall(r"\bluthier_[a-z_]+", expression))
