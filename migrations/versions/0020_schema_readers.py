"""Which versions can work with the schema; from here on it is expanded first, contracted later."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0020"
down_revision: str | None = "0019"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    readers = op.create_table(
        "schema_readers",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("oldest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schema_readers")),
    )
    op.bulk_insert(readers, [{"id": 1, "oldest": "0020"}])


def downgrade() -> None:
    op.drop_table("schema_readers")
