"""Where the vendors' published descriptions lie, if they lie beside the repository."""

from pathlib import Path

CONTRACTS = Path(__file__).parents[2] / "shared" / "contracts"
