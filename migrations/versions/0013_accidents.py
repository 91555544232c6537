"""How often work on a job or an evaluation broke."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    for table in ("jobs", "evaluations"):
        op.add_column(
            table, sa.Column("accidents", sa.Integer(), server_default="0", nullable=False)
        )


def downgrade() -> None:
    for table in ("jobs", "evaluations"):
        op.drop_column(table, "accidents")
