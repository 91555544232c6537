"""Reports on datasets; versions that are there already get theirs in the background."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "reports",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("examined", sa.Integer(), nullable=False),
        sa.Column("result", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("error", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("next_at", sa.BigInteger(), nullable=True),
        sa.Column("lease_owner", sa.String(), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["id"], ["datasets.id"], name=op.f("fk_reports_id_datasets"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reports")),
    )
    with op.batch_alter_table("reports", schema=None) as batch_op:
        batch_op.create_index(
            "ix_reports_due",
            ["next_at"],
            unique=False,
            postgresql_where=sa.text("status NOT IN ('ready', 'failed')"),
            sqlite_where=sa.text("status NOT IN ('ready', 'failed')"),
        )
    op.execute(
        "INSERT INTO reports (id, status, examined, failures, created_at, next_at, epoch) "
        "SELECT id, 'queued', 0, 0, created_at, 0, 0 FROM datasets"
    )


def downgrade() -> None:
    with op.batch_alter_table("reports", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_reports_due",
            postgresql_where=sa.text("status NOT IN ('ready', 'failed')"),
            sqlite_where=sa.text("status NOT IN ('ready', 'failed')"),
        )

    op.drop_table("reports")
