"""`python -m app` is `luthier`."""

from app.cli.main import cli

cli()
