"""Tokens of a dataset, which its report counts; reports that are there are computed anew."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table("datasets", schema=None) as batch_op:
        batch_op.add_column(sa.Column("tokens", sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE reports SET status = 'queued', examined = 0, result = NULL, error = NULL, "
        "failures = 0, finished_at = NULL, next_at = 0, lease_owner = NULL, epoch = epoch + 1"
    )


def downgrade() -> None:
    with op.batch_alter_table("datasets", schema=None) as batch_op:
        batch_op.drop_column("tokens")
