"""Rows that were set aside when a dataset came in."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table("datasets", schema=None) as batch_op:
        batch_op.add_column(sa.Column("rejected", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("rejected_sha256", sa.String(), nullable=True))
        batch_op.create_index(
            batch_op.f("ix_datasets_rejected_sha256"), ["rejected_sha256"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("datasets", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_datasets_rejected_sha256"))
        batch_op.drop_column("rejected_sha256")
        batch_op.drop_column("rejected")
