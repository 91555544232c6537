"""An index for each chore: a long queue of one is no detour for the others."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0021"
down_revision: str | None = "0020"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

UNSUBMITTED = "status IN ('queued', 'submitting')"
AS_DESIRED = (
    "(desired = 'run' AND status IN ('running', 'cancelling')"
    " OR desired = 'pause' AND status IN ('paused', 'cancelling'))"
)
QUEUES = {
    "ix_jobs_to_create": f"{UNSUBMITTED} AND intent_at IS NULL AND desired <> 'cancel'",
    "ix_jobs_to_look_up": (
        f"({UNSUBMITTED} AND (intent_at IS NOT NULL OR desired = 'cancel')"
        " OR status = 'blocked' AND desired = 'cancel')"
    ),
    "ix_jobs_to_steer": (
        f"status IN ('running', 'pausing', 'paused', 'cancelling') AND NOT {AS_DESIRED}"
    ),
    "ix_jobs_to_observe": AS_DESIRED,
}
OPEN = "status NOT IN ('succeeded', 'failed', 'cancelled')"


def upgrade() -> None:
    for name, predicate in QUEUES.items():
        between = ["project_id"] if name == "ix_jobs_to_create" else []
        _create(name, ["provider", *between, "next_at"], predicate)
    op.drop_index("ix_jobs_due", "jobs")


def downgrade() -> None:
    _create("ix_jobs_due", ["provider", "next_at"], OPEN)
    for name in QUEUES:
        op.drop_index(name, "jobs")


def _create(name: str, columns: list[str], predicate: str) -> None:
    where = sa.text(predicate)
    op.create_index(name, "jobs", columns, postgresql_where=where, sqlite_where=where)
