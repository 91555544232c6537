"""An index of the jobs that had an accident: whether there is one is asked before every claim."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0022"
down_revision: str | None = "0021"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    where = sa.text("accidents > 0")
    op.create_index(
        "ix_jobs_had_accident",
        "jobs",
        ["provider", "next_at"],
        postgresql_where=where,
        sqlite_where=where,
    )


def downgrade() -> None:
    op.drop_index("ix_jobs_had_accident", "jobs")
