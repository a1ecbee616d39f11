"""Grants: rows become distinct pairs of small integers.

In: the tables `ids` and `parts` (raw cells → n) and the file's rows, scanned once more. Out: table
`pairs` (account, entitlement, dates), entitlement NULL where an accepted row names an account only.
Raw cells are joined as they are: all trimming and checking was done on the distinct ones. Only where a
check found something are rows tried one by one (`refused_sql`).
"""

from __future__ import annotations

from grantline.mapping.accounts import key_sql
from grantline.mapping.checks import BLANK, defines, removes
from grantline.mapping.levels import levels
from grantline.mapping.plan import Cell
from grantline.mapping.records import GRANT_FIELDS
from grantline.mapping.sql import any_of
from grantline.mapping.work import Work


def gather_grants(work: Work) -> str:
    """Makes the table `pairs`; returns the name of the final table of grants."""
    queries = []
    if work.plan.id is not None and work.plan.identity:
        queries.append(_row_pairs(work))
    if work.plan.lists:
        queries.append(_list_pairs(work))
    if not queries:
        queries.append(_no_pairs(work))
    columns = "account, entitlement" + (", removed" if work.plan.op else "")
    nothing = ", ".join(f"NULL::VARCHAR AS {name}" for name in GRANT_FIELDS)
    union = " UNION ALL ".join(queries)
    if work.plan.dates:
        # Several rows for one grant, each with its period: the grant lasts from the first to the last.
        ends = "CASE WHEN count(expires_at) = count(*) THEN max(expires_at) END AS expires_at"
        query = f"SELECT {columns}, min(granted_at) AS granted_at, {ends} FROM ({union}) GROUP BY {columns}"
    else:
        query = f"SELECT *, {nothing} FROM (SELECT DISTINCT {columns} FROM ({union}))"
    with work.sides_as_written():
        pairs = work.create("pairs", query)
    if not refusing(work) and work.plan.op is None:
        return pairs
    kept = " AND NOT removed" if work.plan.op else ""
    return work.create(
        "grants",
        f"SELECT account, entitlement, {', '.join(GRANT_FIELDS)} FROM {pairs} WHERE entitlement IS NOT NULL{kept}",
    )


def gather_removals(work: Work) -> str | None:
    """The table of what mode delta removes: grants, and accounts where no entitlement is named."""
    if work.plan.mapping.mode != "delta":
        return None
    queries = ["SELECT NULL::UINTEGER AS account, NULL::UINTEGER AS entitlement WHERE false"]
    if work.plan.op is not None:
        queries.append(f"SELECT account, entitlement FROM {work.name('pairs')} WHERE removed")
        if not work.plan.identity:
            listed = f" AND key NOT IN (SELECT key FROM {work.name('listed')})" if work.plan.lists else ""
            queries.append(f"SELECT n, NULL::UINTEGER FROM {work.name('people')} WHERE removed{listed}")
    return work.create("removals", " UNION ".join(queries))


def _no_pairs(work: Work) -> str:
    columns = ["NULL::UINTEGER AS account", "NULL::UINTEGER AS entitlement"]
    columns += ["false AS removed"] if work.plan.op else []
    columns += [f"NULL::VARCHAR AS {name}" for name in GRANT_FIELDS] if work.plan.dates else []
    return f"SELECT {', '.join(columns)} WHERE false"


def refused_sql(work: Work) -> str:
    """Whether a row is refused, over the levels of all cells."""
    return any_of(
        check.condition.replace(BLANK, work.plan.blank_sql()) for check in work.live if check.severity == "error"
    )


def refusing(work: Work) -> bool:
    """Whether any row is refused."""
    return work.conflicts or any(check.severity == "error" for check in work.live)


def accepted(work: Work, relation: str) -> str:
    """The rows of `relation` that are not refused, with the levels of all cells."""
    over = levels(relation, work.plan.cells, work.orders)
    return f"(SELECT * FROM {over} WHERE NOT {refused_sql(work)})"


def _row_pairs(work: Work) -> str:
    plan = work.plan
    assert plan.id is not None  # noqa: S101
    by_row = refusing(work) or plan.kind is not None or plan.op is not None or bool(plan.dates)
    rows = accepted(work, work.rows()) if by_row else work.rows()
    known = {cell.target.field: cell.value for cell in plan.dates}
    dates = "".join(f", {known.get(name, 'NULL::VARCHAR')} AS {name}" for name in GRANT_FIELDS)
    same = " AND ".join(f"p.{column} = r.{column}" for column in plan.identity_columns) or "true"
    # Where rows are refused, accounts that only accepted rows name must be told from the rest.
    join = "LEFT JOIN" if refusing(work) or plan.op is not None else "JOIN"
    removed = f", {removes(plan)} AS removed" if plan.op is not None else ""
    kept = f" WHERE NOT {defines(plan)}" if plan.kind is not None else ""
    return (
        f"SELECT i.n AS account, p.n AS entitlement{removed}{dates if plan.dates else ''}"
        f" FROM {rows} r JOIN {work.name('ids')} i ON i.raw = r.{plan.id.raw}"
        f" {join} {work.name('parts')} p ON {same}{kept}"
    )


def _list_pairs(work: Work) -> str:
    dates = "".join(f", l.{name}" for name in GRANT_FIELDS) if work.plan.dates else ""
    removed = ", l.removed" if work.plan.op is not None else ""
    return (
        f"SELECT p.n AS account, e.n AS entitlement{removed}{dates} FROM {work.name('listed')} l"
        f" JOIN {work.name('people')} p USING (key)"
        f" JOIN {work.name('entitled')} e USING (resource_type, resource, entitlement)"
    )


def conflict_sql(work: Work, id_cell: Cell) -> str:
    """Whether a row's account is one whose rows contradict each other."""
    return f"{key_sql(work.plan, id_cell.value)} IN (SELECT key FROM {work.name('conflicts')})"
