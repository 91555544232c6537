"""`python -m app.storage.revise "what changes"` writes the next migration from the rows."""

import sys
import tempfile
from pathlib import Path

from alembic import command

from app.storage.database import embedded_url, normalise
from app.storage.migrating import alembic_config


def main(message: str) -> None:
    """Compare the rows with a database that all migrations so far have built."""
    with tempfile.TemporaryDirectory() as folder:
        config = alembic_config(normalise(embedded_url(Path(folder))))
        command.upgrade(config, "head")
        command.revision(config, message=message, autogenerate=True)


if __name__ == "__main__":
    main(sys.argv[1])
