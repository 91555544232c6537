"""What the documentation promises is there."""

import re
from collections.abc import Iterator
from pathlib import Path

from app.domain.errors import LuthierError

ROOT = Path(__file__).parents[1]


def test_every_error_code_is_documented() -> None:
    documented = set(re.findall(r"`([a-z_0-9]+)`", (ROOT / "docs" / "errors.md").read_text()))

    codes = {error.code for error in _leaves(LuthierError)}

    assert codes - documented == set()


def test_every_row_code_is_documented() -> None:
    documented = set(re.findall(r"`([a-z_0-9]+)`", (ROOT / "docs" / "errors.md").read_text()))
    source = "".join(path.read_text() for path in (ROOT / "app" / "domain").rglob("*.py"))

    codes = set(
        re.findall(r"(?:RowInvalid|FileUnreadable|RowLost|Loss)\(\s*\"([a-z_0-9]+)\"", source)
    )

    assert codes
    assert codes - documented == set()


def test_links_between_pages_lead_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]

    broken = [
        f"{page.name}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text())
        if not (page.parent / target).exists()
    ]

    assert broken == []


def _leaves(error: type[LuthierError]) -> Iterator[type[LuthierError]]:
    children = error.__subclasses__()
    if not children:
        yield error
    for child in children:
        yield from _leaves(child)
