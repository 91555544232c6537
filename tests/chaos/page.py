"""The page that keeps what was measured: a section is written over the one before."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "measurements.md"


def write(name: str, report: str) -> None:
    """Put a section between its marks, at the end of the page where it is new."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    text = PAGE.read_text()
    part = f"{begin}{report}{end}"
    if begin in text:
        text = re.sub(f"{begin}.*{end}", lambda _: part, text, flags=re.DOTALL)
    else:
        text = f"{text.rstrip()}\n\n{part}"
    PAGE.write_text(text)
