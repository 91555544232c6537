"""News of a job that is being looked at just now: it is looked at once more."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0023"
down_revision: str | None = "0022"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("woken_epoch", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("jobs", "woken_epoch")
