"""Projects, keys and the audit; everything that was there belongs to the project `default`."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_OWNED = (
    "aliases",
    "alias_decisions",
    "datasets",
    "dataset_names",
    "evaluations",
    "feedback",
    "files",
    "hosting",
    "idempotency_keys",
    "imports",
    "jobs",
    "ledger",
    "models",
    "notices",
    "uploads",
)
_LISTED = ("datasets", "evaluations", "files", "jobs", "ledger", "models", "notices")
_CHARGED = ("evaluations", "hosting", "jobs", "ledger")


def upgrade() -> None:
    _add_tables()
    for table in _OWNED:
        op.add_column(
            table, sa.Column("project_id", sa.String(), server_default="default", nullable=False)
        )
    for table in _CHARGED:
        op.add_column(table, sa.Column("key_id", sa.String(), nullable=True))
    for table in _LISTED:
        op.create_index(f"ix_{table}_project_id_id", table, ["project_id", "id"])
    _name_by_project()


def _add_tables() -> None:
    projects = op.create_table(
        "projects",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("spend_limit", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
    )
    op.bulk_insert(projects, [{"id": "default", "spend_limit": None, "created_at": 0}])
    op.create_table(
        "keys",
        sa.Column("project_id", sa.String(), server_default="default", nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("prefix", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("old_hash", sa.String(), nullable=True),
        sa.Column("old_until", sa.BigInteger(), nullable=True),
        sa.Column("spend_limit", sa.BigInteger(), nullable=True),
        sa.Column("rate_limit_per_minute", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keys")),
        sa.UniqueConstraint("prefix", name=op.f("uq_keys_prefix")),
    )
    op.create_index("ix_keys_project_id_id", "keys", ["project_id", "id"])
    op.create_table(
        "audit",
        sa.Column("project_id", sa.String(), server_default="default", nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("caller", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=True),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("operation", sa.String(), nullable=False),
        sa.Column("object", sa.String(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=True),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_project_id_id", "audit", ["project_id", "id"])
    op.create_index(op.f("ix_audit_object"), "audit", ["object"])


def _name_by_project() -> None:
    with op.batch_alter_table("datasets") as datasets:
        datasets.drop_constraint(op.f("uq_datasets_name_version"), type_="unique")
        datasets.drop_constraint(op.f("uq_datasets_name_sha256"), type_="unique")
        for rest in (["name", "version"], ["name", "sha256"]):
            columns = ["project_id", *rest]
            datasets.create_unique_constraint(op.f(f"uq_datasets_{'_'.join(columns)}"), columns)
    with op.batch_alter_table("aliases") as aliases:
        aliases.drop_constraint(op.f("uq_aliases_name"), type_="unique")
        aliases.create_unique_constraint(op.f("uq_aliases_project_id_name"), ["project_id", "name"])
    for table, columns in (("dataset_names", ["name"]), ("idempotency_keys", ["operation", "key"])):
        with op.batch_alter_table(table) as changed:
            changed.drop_constraint(op.f(f"pk_{table}"), type_="primary")
            changed.create_primary_key(op.f(f"pk_{table}"), ["project_id", *columns])


def downgrade() -> None:
    """What other projects have cannot be told apart any more: names that two have do not fit."""
    for table, columns in (("dataset_names", ["name"]), ("idempotency_keys", ["operation", "key"])):
        with op.batch_alter_table(table) as changed:
            changed.drop_constraint(op.f(f"pk_{table}"), type_="primary")
            changed.create_primary_key(op.f(f"pk_{table}"), columns)
    with op.batch_alter_table("aliases") as aliases:
        aliases.drop_constraint(op.f("uq_aliases_project_id_name"), type_="unique")
        aliases.create_unique_constraint(op.f("uq_aliases_name"), ["name"])
    with op.batch_alter_table("datasets") as datasets:
        for rest in (["name", "version"], ["name", "sha256"]):
            columns = ["project_id", *rest]
            datasets.drop_constraint(op.f(f"uq_datasets_{'_'.join(columns)}"), type_="unique")
            datasets.create_unique_constraint(op.f(f"uq_datasets_{'_'.join(rest)}"), rest)
    for table in _LISTED:
        op.drop_index(f"ix_{table}_project_id_id", table)
    for table in _CHARGED:
        op.drop_column(table, "key_id")
    for table in _OWNED:
        op.drop_column(table, "project_id")
    op.drop_table("audit")
    op.drop_table("keys")
    op.drop_table("projects")
