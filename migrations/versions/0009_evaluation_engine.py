"""What evaluations judge, gate and cost, and feedback on answers."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "feedback",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("messages", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("corrected", sa.String(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback")),
    )
    with op.batch_alter_table("feedback", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_feedback_model"), ["model"], unique=False)

    op.create_table(
        "evaluation_judgements",
        sa.Column("evaluation_id", sa.String(), nullable=False),
        sa.Column("judge", sa.String(), nullable=False),
        sa.Column("candidate", sa.String(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.Double(), nullable=True),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("cost_usd", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["evaluation_id"],
            ["evaluations.id"],
            name=op.f("fk_evaluation_judgements_evaluation_id_evaluations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "evaluation_id",
            "judge",
            "candidate",
            "row",
            "turn",
            name=op.f("pk_evaluation_judgements"),
        ),
    )
    op.add_column(
        "evaluation_answers", sa.Column("tool_calls", sa.JSON(none_as_null=True), nullable=True)
    )
    op.add_column("evaluation_answers", sa.Column("prompt_tokens", sa.Integer(), nullable=True))
    op.add_column("evaluation_answers", sa.Column("cost_usd", sa.Double(), nullable=True))

    op.add_column("evaluations", sa.Column("judge", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("evaluations", sa.Column("gate", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("evaluations", sa.Column("max_cost_usd", sa.String(), nullable=True))
    op.add_column("evaluations", sa.Column("ratings", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("evaluations", sa.Column("tags", sa.JSON(none_as_null=True), nullable=True))
    op.add_column(
        "evaluations", sa.Column("to_judge", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column(
        "evaluations", sa.Column("judged", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column("evaluations", sa.Column("errors", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("evaluations", sa.Column("cost_usd", sa.Double(), nullable=True))
    op.add_column("evaluations", sa.Column("findings", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    # Column by column: a table that is built anew would take its answers along.
    op.drop_column("evaluations", "findings")
    op.drop_column("evaluations", "cost_usd")
    op.drop_column("evaluations", "errors")
    op.drop_column("evaluations", "judged")
    op.drop_column("evaluations", "to_judge")
    op.drop_column("evaluations", "tags")
    op.drop_column("evaluations", "ratings")
    op.drop_column("evaluations", "max_cost_usd")
    op.drop_column("evaluations", "gate")
    op.drop_column("evaluations", "judge")

    op.drop_column("evaluation_answers", "cost_usd")
    op.drop_column("evaluation_answers", "prompt_tokens")
    op.drop_column("evaluation_answers", "tool_calls")

    op.drop_table("evaluation_judgements")
    with op.batch_alter_table("feedback", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_feedback_model"))

    op.drop_table("feedback")
