"""What was imported from providers, of which a job's dataset may be unknown."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_JSON = sa.JSON(none_as_null=True)


def upgrade() -> None:
    op.create_table(
        "imports",
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("remote_id", sa.String(), nullable=False),
        sa.Column("local_id", sa.String(), nullable=True),
        sa.Column("problem", sa.LargeBinary(), nullable=True),
        sa.Column("imported_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "kind", "remote_id", name=op.f("pk_imports")),
    )
    with op.batch_alter_table("jobs") as jobs:
        jobs.alter_column("dataset", existing_type=_JSON, nullable=True)
        jobs.alter_column("dataset_id", existing_type=sa.String(), nullable=True)
    with op.batch_alter_table("models") as models:
        models.alter_column("job_id", existing_type=sa.String(), nullable=True)
        models.alter_column("dataset", existing_type=_JSON, nullable=True)
        models.alter_column("method", existing_type=_JSON, nullable=True)


def downgrade() -> None:
    # What the columns of before have no place for; a later import brings it back.
    op.execute("DELETE FROM models WHERE job_id IS NULL OR dataset IS NULL OR method IS NULL")
    unknown = "(SELECT id FROM jobs WHERE dataset_id IS NULL)"
    for table in ("job_events", "job_metrics", "job_checkpoints"):
        op.execute(f"DELETE FROM {table} WHERE job_id IN {unknown}")  # noqa: S608 - names of ours
    op.execute("DELETE FROM jobs WHERE dataset_id IS NULL")
    with op.batch_alter_table("models") as models:
        models.alter_column("method", existing_type=_JSON, nullable=False)
        models.alter_column("dataset", existing_type=_JSON, nullable=False)
        models.alter_column("job_id", existing_type=sa.String(), nullable=False)
    with op.batch_alter_table("jobs") as jobs:
        jobs.alter_column("dataset_id", existing_type=sa.String(), nullable=False)
        jobs.alter_column("dataset", existing_type=_JSON, nullable=False)
    op.drop_table("imports")
