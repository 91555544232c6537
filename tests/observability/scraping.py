"""What Prometheus reads of a service."""

from collections.abc import Mapping

import httpx
from prometheus_client.parser import text_string_to_metric_families

Series = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


async def scraped(client: httpx.AsyncClient) -> Series:
    """Every series with its value, by name and labels."""
    page = await client.get("/metrics")
    assert page.status_code == 200, page.text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(page.text)
        for sample in family.samples
    }


def value(series: Series, name: str, **labels: str) -> float | None:
    """The value of one series; None where it is not there."""
    return series.get((name, frozenset(labels.items())))


def grown(before: Series, after: Series, name: str, **labels: str) -> float:
    """By how much a count rose: other tests of the process counted as well."""
    return (value(after, name, **labels) or 0) - (value(before, name, **labels) or 0)
