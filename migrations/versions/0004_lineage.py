"""Where a dataset version comes from, and numbers of versions that are never given twice."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    with op.batch_alter_table("datasets", schema=None) as batch_op:
        batch_op.add_column(sa.Column("parent", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("made_by", sa.JSON(none_as_null=True), nullable=True))
    op.create_table(
        "dataset_names",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("last_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_dataset_names")),
    )
    op.execute(
        "INSERT INTO dataset_names (name, last_version) "
        "SELECT name, max(version) FROM datasets GROUP BY name"
    )


def downgrade() -> None:
    op.drop_table("dataset_names")
    with op.batch_alter_table("datasets", schema=None) as batch_op:
        batch_op.drop_column("made_by")
        batch_op.drop_column("parent")
