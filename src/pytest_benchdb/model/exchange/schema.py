"""The tables and views of the schema, as they are described to users."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column; `kind` is its type, empty in views, and `filled` means NOT NULL."""

    name: str
    kind: str
    filled: bool
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A table or a view with its columns, in the order of the schema."""

    name: str
    is_view: bool
    comment: str
    columns: tuple[Column, ...]
