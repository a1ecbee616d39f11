"""Parquet to rows of text, through DuckDB; nothing is copied.

In: a Parquet file. Out: a `Table` whose SQL turns each column to text: whole numbers without a decimal
point, dates ISO 8601, an instant with `Z` (UTC whatever zone the session has), a time without zone as
it stands, `true` and `false`. Fields of a structure become columns `a.b`; a list of plain values is
joined with a separator that none of its values holds (`Table.separators`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb
from duckdb.sqltypes import DuckDBPyType

from grantline.errors import FileStructure
from grantline.formats.dialect import clean_name, no_rows
from grantline.formats.limits import Limits
from grantline.formats.normal import ISSUE_LIMIT, Used
from grantline.formats.relation import cell_names, literal, safe_path
from grantline.formats.table import LIST_SEPARATORS, Format, Place, Table
from grantline.issues import Issue, shown

FLOATS = ("FLOAT", "DOUBLE")
INSTANTS = ("TIMESTAMP WITH TIME ZONE",)
LOCAL_TIMES = ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS")


def read_parquet(
    path: Path, limits: Limits, con: duckdb.DuckDBPyConnection, scratch: Path, used: Used | None = None
) -> Table:
    """The table of a Parquet file.

    Raises: `FileStructure` for a damaged file, `FileEmpty`, `SourceTooLarge`.
    """
    source = f"read_parquet({literal(str(safe_path(path, scratch)))}, binary_as_string=true, "
    source += "file_row_number=true, hive_partitioning=false)"
    try:
        _refuse_large(path, limits, con, scratch)
        leaves = list(_leaves(con.sql(f"SELECT * EXCLUDE (file_row_number) FROM {source}")))
        if len(leaves) > limits.columns:
            raise limits.too_large("columns", f"The file has {len(leaves):,} columns")
        return _table(leaves, source, limits, con, used)
    except (duckdb.Error, RuntimeError) as error:  # RuntimeError: its own message is no UTF-8 (DuckDB 2.0.1)
        # The reason in DuckDB's words names paths of this machine, so it stays in the cause.
        raise FileStructure("The Parquet file is damaged or cut off.") from error


def _refuse_large(path: Path, limits: Limits, con: duckdb.DuckDBPyConnection, scratch: Path) -> None:
    name = literal(str(safe_path(path, scratch)))
    found = con.execute(
        f"SELECT sum(total_uncompressed_size)::BIGINT, "
        f"(SELECT max(num_rows) FROM parquet_file_metadata({name})) FROM parquet_metadata({name})"
    ).fetchone()
    size, rows = found or (0, 0)
    if (size or 0) > limits.unpacked_bytes:
        raise limits.too_large("unpacked_bytes", f"The file unpacks to {size:,} bytes")
    if (rows or 0) > limits.rows:
        raise limits.too_large("rows", f"The file has {rows:,} records")


def _leaves(relation: duckdb.DuckDBPyRelation) -> Iterator[tuple[str, str, DuckDBPyType]]:
    """Name, SQL expression and type of each column, structures taken apart."""
    for name, kind in zip(relation.columns, relation.types, strict=True):
        yield from _leaves_of(name, _identifier(name), kind)


def _leaves_of(name: str, sql: str, kind: DuckDBPyType) -> Iterator[tuple[str, str, DuckDBPyType]]:
    if kind.id != "struct":
        yield name, sql, kind
        return
    for field, inner in _children(kind):
        yield from _leaves_of(f"{name}.{field}", f"struct_extract({sql}, {literal(field)})", inner)


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _table(
    leaves: list[tuple[str, str, DuckDBPyType]],
    source: str,
    limits: Limits,
    con: duckdb.DuckDBPyConnection,
    used: Used | None,
) -> Table:
    separators = _separators(leaves, source, con)
    texts = [_text(sql, kind, separators.get(name, ",")) for name, sql, kind in leaves]
    names = cell_names(len(leaves))
    cells = ", ".join(f"nullif({text}, '') AS {name}" for text, name in zip(texts, names, strict=True))
    numbered = f"(SELECT file_row_number + 1 AS row, {cells} FROM {source})"
    columns = tuple(clean_name(name) for name, _, _ in leaves)
    looked_at = names if used is None else [names[index] for index in used(columns)]
    bad = " OR ".join(f"coalesce(contains({name}, chr(0)), false)" for name in looked_at) or "false"
    longest = ", ".join(f"coalesce(max(strlen({name})), 0)" for name in names)
    counts = con.execute(f"SELECT count(*), count_if({bad}), {longest} FROM {numbered}").fetchone()
    total, refused, *lengths = counts or (0, 0)
    if total == 0:
        raise no_rows(None)
    listed = ", ".join(names)
    large = {place for place, length in enumerate(lengths) if length > limits.cell_bytes}
    issues = list(_nul_issues(columns, names, numbered, bad, con)) if refused else []
    found = Counter({"value_invalid": refused}) if refused else Counter[str]()
    if large:
        issues += _large_issues(columns, large, numbered, limits, con, found)
        issues.sort(key=lambda issue: issue.row or 0)
        shortened = ", ".join(
            f"CASE WHEN strlen({name}) <= {limits.cell_bytes} THEN {name} END AS {name}" if place in large else name
            for place, name in enumerate(names)
        )
        numbered = f"(SELECT row, {shortened} FROM {numbered})"
    good = f" WHERE NOT ({bad})" if refused else ""
    return Table(
        format=Format("parquet"),
        columns=columns,
        rows=f"(SELECT {listed} FROM {numbered}{good})",
        numbered=f"(SELECT row, {listed} FROM {numbered}{good})",
        places=_no_places,
        doubtful=f"(SELECT row, {_without_nul(names)} FROM {numbered} WHERE {bad})" if refused else None,
        issues=tuple(issues[:ISSUE_LIMIT]),
        issue_counts=dict(found),
        record_count=total,
        rejected_count=refused,
        separators={clean_name(name): mark for name, mark in separators.items()},
    )


def _no_places(rows: Iterable[int]) -> dict[int, Place]:
    return {row: Place() for row in rows}


def _without_nul(names: list[str]) -> str:
    return ", ".join(f"replace({name}, chr(0), '') AS {name}" for name in names)


def _nul_issues(
    columns: tuple[str, ...], names: list[str], numbered: str, bad: str, con: duckdb.DuckDBPyConnection
) -> Iterator[Issue]:
    rows = con.execute(f"SELECT * FROM {numbered} WHERE {bad} LIMIT {ISSUE_LIMIT}").fetchall()
    for row, *values in rows:
        index = next(index for index, value in enumerate(values) if value and "\0" in value)
        yield Issue(
            "value_invalid",
            f"{columns[index]} holds a NUL character.",
            row=row,
            column=columns[index],
            value=shown(values[index].replace("\0", "\ufffd")),
            remedy="Export the column as text; NUL cannot be stored.",
        )


def _large_issues(
    columns: tuple[str, ...],
    large: set[int],
    numbered: str,
    limits: Limits,
    con: duckdb.DuckDBPyConnection,
    counts: Counter[str],
) -> Iterator[Issue]:
    """A warning for each cell over the limit; the cells are left empty."""
    for place in sorted(large):
        over = f"FROM {numbered} WHERE strlen(c{place}) > {limits.cell_bytes}"
        counts["value_invalid"] += con.execute(f"SELECT count(*) {over}").fetchall()[0][0]
        rows = con.execute(f"SELECT row, strlen(c{place}), left(c{place}, 201) {over} LIMIT {ISSUE_LIMIT}").fetchall()
        for row, size, start in rows:
            yield Issue(
                "value_invalid",
                f"{columns[place]} holds {size:,} bytes; the limit cell_bytes is {limits.cell_bytes:,}."
                " The cell is left empty.",
                severity="warning",
                row=row,
                column=columns[place],
                value=shown(start),
                remedy="Shorten the value, or leave the column out of the mapping.",
            )


def _text(sql: str, kind: DuckDBPyType, separator: str) -> str:
    """An SQL expression that gives the text of a value."""
    name = str(kind)
    if kind.id == "varchar":
        return sql
    if name in FLOATS:
        whole = f"isfinite({sql}) AND {sql} = trunc({sql}) AND abs({sql}) < 1e15"
        return f"CASE WHEN {whole} THEN CAST(CAST({sql} AS BIGINT) AS VARCHAR) ELSE CAST({sql} AS VARCHAR) END"
    if name in INSTANTS:
        # Through the count of microseconds, so that no session zone and no extension takes part.
        return f"replace(CAST(make_timestamp(epoch_us({sql})) AS VARCHAR), ' ', 'T') || 'Z'"
    if name in LOCAL_TIMES:
        return f"replace(CAST({sql} AS VARCHAR), ' ', 'T')"
    if kind.id == "list" and _is_plain(_item(kind)):
        item = _text("item", _item(kind), separator)
        return f"array_to_string(list_transform({sql}, lambda item: {item}), {literal(separator)})"
    return f"CAST({sql} AS VARCHAR)"


def _item(kind: DuckDBPyType) -> DuckDBPyType:
    """The type of a list's values."""
    return _children(kind)[0][1]


def _children(kind: DuckDBPyType) -> list[tuple[str, DuckDBPyType]]:
    """The fields of a structure, or the one of a list."""
    return [(name, inner) for name, inner in kind.children if isinstance(inner, DuckDBPyType)]


def _is_plain(kind: DuckDBPyType) -> bool:
    return kind.id not in ("list", "struct", "map", "union", "array")


def _separators(
    leaves: list[tuple[str, str, DuckDBPyType]], source: str, con: duckdb.DuckDBPyConnection
) -> dict[str, str]:
    """For each column of lists the first separator that none of its values holds."""
    lists = [(name, sql) for name, sql, kind in leaves if kind.id == "list" and _is_plain(_item(kind))]
    if not lists:
        return {}
    tests = ", ".join(
        f"bool_or(contains(array_to_string({sql}, ''), {literal(mark)}))"
        for _, sql in lists
        for mark in LIST_SEPARATORS
    )
    found = con.execute(f"SELECT {tests} FROM {source}").fetchone() or ()
    separators = {}
    for index, (name, _) in enumerate(lists):
        held = found[index * len(LIST_SEPARATORS) : (index + 1) * len(LIST_SEPARATORS)]
        free = [mark for mark, taken in zip(LIST_SEPARATORS, held, strict=True) if not taken]
        separators[name] = free[0] if free else LIST_SEPARATORS[-1]
    return separators
