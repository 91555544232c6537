"""What a job sent, by its hashes, and the state of the base model that it was tuned from."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("sent", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("models", sa.Column("base", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.drop_column("models", "base")
    op.drop_column("jobs", "sent")
