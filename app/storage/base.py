"""What every row shares: naming of constraints, the database's own clock, a set of ids."""

from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Dialect,
    MetaData,
    String,
    bindparam,
    func,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import JSON, TypeDecorator, TypeEngine

Json = JSON(none_as_null=True)
"""A JSON column in which None is NULL."""

SQLITE_CLOCK = "luthier_now"
"""The function that `database.py` registers on every SQLite connection."""


class Text(TypeDecorator[str]):
    """Any text; NUL, for which PostgreSQL has no place, becomes U+FFFD."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value if value is None else value.replace("\0", "\ufffd")


class Row(DeclarativeBase):
    """Base of all rows; constraint names are given so that migrations can name them."""

    type_annotation_map = {str: Text()}

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class database_now(FunctionElement[int]):
    """The database's clock in milliseconds: one clock for all replicas, however theirs are set."""

    type = BigInteger()
    inherit_cache = True


@compiles(database_now, "postgresql")
def _postgresql_now(element: database_now, compiler: SQLCompiler, **_: Any) -> str:
    return "(extract(epoch from clock_timestamp()) * 1000)::bigint"


@compiles(database_now, "sqlite")
def _sqlite_now(element: database_now, compiler: SQLCompiler, **_: Any) -> str:
    return f"{SQLITE_CLOCK}()"


class _Texts(TypeDecorator[list[str]]):
    """Texts as one parameter, however many there are."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        is_array = dialect.name == "postgresql"
        return dialect.type_descriptor(ARRAY(Text()) if is_array else JSON())


class is_one_of(FunctionElement[bool]):
    """Whether a column of texts is one of those in the parameter `name`.

    The statement is the same for one and for a thousand: nothing is spelled out or parsed anew.
    """

    type = Boolean()
    inherit_cache = True

    def __init__(self, column: Any, name: str) -> None:
        super().__init__(column, bindparam(name, type_=_Texts()))

    def self_group(self, against: Any = None) -> Any:
        """As it is: compared with true, as a boolean column would be, it finds no index."""
        return self


@compiles(is_one_of)
def _one_of(element: is_one_of, compiler: SQLCompiler, **options: Any) -> str:
    column, texts = (compiler.process(part, **options) for part in element.clauses)
    return f"{column} = ANY ({texts})"


@compiles(is_one_of, "sqlite")
def _sqlite_one_of(element: is_one_of, compiler: SQLCompiler, **options: Any) -> str:
    column, texts = element.clauses
    values = func.json_each(texts).table_valued("value")
    return compiler.process(column.in_(select(values.c.value)), **options)
