"""Named columns of plain values, such as the answer to a query."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class DataTable:
    """Named columns of plain values, such as the answer to a query.

    Attributes:
        schema: name of the shape in JSON: ``benchdb.query/1``.
        types: DuckDB's type of each column; empty where it is not known.
        more: whether rows were left out because of a limit.
        facts: what JSON says beside the rows.
    """

    schema: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[object]]
    types: tuple[str, ...] = ()
    more: bool = False
    facts: Mapping[str, object] = field(default_factory=dict)
