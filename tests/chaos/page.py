"""What is said meanwhile, and the page that keeps what was measured, section by section."""

import re
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "measurements.md"


def write(name: str, report: str) -> None:
    """Put a section between its marks over the one before, or at the end of the page."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    text = PAGE.read_text()
    part = f"{begin}{report}{end}"
    if begin in text:
        text = re.sub(f"{begin}.*{end}", lambda _: part, text, flags=re.DOTALL)
    else:
        text = f"{text.rstrip()}\n\n{part}"
    PAGE.write_text(text)


def say(line: str, *, passing: bool = False) -> None:
    """A line for whoever waits; one that passes is for a terminal, where the next overwrites it."""
    if passing and not sys.stdout.isatty():
        return
    sys.stdout.write(f"\r{line} " if passing else f"{line}\n")
    sys.stdout.flush()
