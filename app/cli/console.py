"""What the commands share: one console, and a last line that says what to do."""

import sys
from typing import NoReturn

from rich.console import Console

out = Console(highlight=False)


def fail(message: str) -> NoReturn:
    """End the command with a message for a person."""
    Console(stderr=True, highlight=False).print(f"[red]luthier:[/red] {message}", soft_wrap=True)
    sys.exit(2)
