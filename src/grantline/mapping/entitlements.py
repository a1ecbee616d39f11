"""Entitlements: from distinct cells and from lists in cells to one record per identity.

In: the relation of `gather` and the held account cells. Out: table `entitled` (n, identity, details,
defined) and table `parts` (raw cells → n) for the grants. A list cell is split at its separator, not at
one with a backslash before it; parts are trimmed, empty and repeated ones dropped. Details that differ
between rows are reported, and the first in the alphabet is kept, whatever the order of the file.
"""

from __future__ import annotations

import re

from grantline.issues import Issue, shown
from grantline.mapping import masks
from grantline.mapping.accounts import keep_live, tryable
from grantline.mapping.checks import defines_entitlement, entitlement_checks
from grantline.mapping.levels import levels
from grantline.mapping.records import ENTITLEMENT_FIELDS, ENTITLEMENT_KEY, GRANT_FIELDS
from grantline.mapping.sql import literal, trimmed
from grantline.mapping.work import Work

DIFFERENCES_LIMIT = 100
"""Entitlements with differing details that are reported one by one."""

BRACKETS = "[]"
"""The separator of lists like `[Group A][Group B]`."""

IDENTITY = ", ".join(ENTITLEMENT_KEY)


def gather_entitlements(work: Work, relation: str | None) -> None:
    """Makes the table `entitled`, and `parts` where rows name entitlements."""
    sources = []
    if relation is not None:
        _read_parts(work, relation)
        sources.append(
            f"SELECT {IDENTITY}, {', '.join(ENTITLEMENT_FIELDS)}, defined FROM {work.name('part')}"
            " WHERE NOT refused AND named"
        )
    if work.plan.lists:
        _read_lists(work)
        empty = ", ".join(f"NULL::VARCHAR AS {name}" for name in ENTITLEMENT_FIELDS)
        sources.append(f"SELECT DISTINCT {IDENTITY}, {empty}, false AS defined FROM {work.name('listed')}")
    if not sources:
        names = ", ".join(f"NULL::VARCHAR AS {name}" for name in (*ENTITLEMENT_KEY, *ENTITLEMENT_FIELDS))
        sources.append(f"SELECT {names}, false AS defined WHERE false")
    details = ", ".join(f"min({name}) AS {name}" for name in ENTITLEMENT_FIELDS)
    work.create(
        "entitled",
        f"SELECT (row_number() OVER () - 1)::UINTEGER AS n, * FROM ("
        f"SELECT {IDENTITY}, {details}, bool_or(defined) AS defined"
        f" FROM ({' UNION ALL '.join(sources)}) GROUP BY {IDENTITY})",
    )
    if relation is not None:
        _report_differences(work)
        raw = "".join(f"part.{column}, " for column in work.plan.identity_columns)
        work.create(
            "parts",
            f"SELECT DISTINCT {raw}e.n FROM {work.name('part')} part JOIN {work.name('entitled')} e"
            f" USING ({IDENTITY}) WHERE NOT refused AND named",
        )


def _read_parts(work: Work, relation: str) -> None:
    """Table `part`: distinct entitlement cells with their values, and whether they are refused."""
    plan = work.plan
    checks = entitlement_checks(plan, work.orders) if work.checked else []
    cells = [*plan.identity, *plan.details, *([plan.kind] if plan.kind else [])]
    values = plan.identity_sql()
    identity = ", ".join(f"{values[name]} AS {name}" for name in ENTITLEMENT_KEY)
    known = {cell.target.field: cell.value for cell in plan.details}
    details = ", ".join(f"{known.get(name, 'NULL::VARCHAR')} AS {name}" for name in ENTITLEMENT_FIELDS)
    raw = "".join(f"{column}, " for column in plan.identity_columns)
    named = " AND ".join(f"{cell.value} IS NOT NULL" for cell in plan.identity)
    part = work.create(
        "part",
        f"SELECT *, {masks.is_refused(checks)} AS refused FROM ("
        f"SELECT {raw}times, {identity}, {details}, {defines_entitlement(plan)} AS defined, {named} AS named,"
        f" {masks.columns([tryable(check) for check in checks])} FROM {levels(relation, cells, work.orders)})",
    )
    keep_live(work, checks, part)


def _read_lists(work: Work) -> None:
    """Table `listed`: one row per account and value of its list cells, with the grant's dates."""
    plan, queries = work.plan, []
    known = {cell.target.field: cell.value for cell in plan.dates}
    dates = ", ".join(f"{known.get(name, 'NULL::VARCHAR')} AS {name}" for name in GRANT_FIELDS)
    for cell in plan.lists:
        resource, name = _composite("item", cell.rule.parts)
        queries.append(
            f"SELECT key, removed, {literal(plan.list_type(cell))} AS resource_type, {resource} AS resource,"
            f" {name} AS entitlement, {', '.join(GRANT_FIELDS)} FROM (SELECT key, removed, {dates},"
            f" {trimmed('unnest_item')} AS item FROM (SELECT *, unnest({split(cell.value, cell.rule.split)})"
            f" AS unnest_item FROM {work.name('held')} WHERE NOT refused AND {cell.value} IS NOT NULL))"
            " WHERE item IS NOT NULL"
        )
    work.create("listed", " UNION ".join(queries))


def split(text: str, separator: str | None) -> str:
    """SQL list of the parts of `text`; a separator after a backslash does not separate."""
    if separator is None:
        return f"[{text}]"
    if separator == BRACKETS:
        return rf"regexp_extract_all({text}, '\[([^\]]*)\]', 1)"
    plain = f"string_split({text}, {literal(separator)})"
    if len(separator) > 1:
        return plain
    sign = re.escape(separator)
    pattern = rf"((?s:\\.|[^{sign}\\]|\\$)+)"
    return f"CASE WHEN contains({text}, '\\') THEN regexp_extract_all({text}, {literal(pattern)}) ELSE {plain} END"


def _composite(item: str, separator: str | None) -> tuple[str, str]:
    """Resource and name of a list's value: the same text, or the two parts of a composite value."""
    if separator is None:
        return item, item
    at = f"strpos({item}, {literal(separator)})"
    before = trimmed(f"left({item}, {at} - 1)")
    after = trimmed(f"substr({item}, {at} + {len(separator)})")
    whole = f"{at} = 0 OR {before} IS NULL OR {after} IS NULL"
    return (
        f"CASE WHEN {whole} THEN {item} ELSE {before} END",
        f"CASE WHEN {whole} THEN {item} ELSE {after} END",
    )


def _report_differences(work: Work) -> None:
    """A warning for each entitlement whose details differ between rows."""
    for cell in work.plan.details:
        field = cell.target.field
        found = work.con.execute(
            f"SELECT {IDENTITY}, count(DISTINCT {field}) FROM {work.name('part')}"
            f" WHERE NOT refused AND named GROUP BY {IDENTITY}"
            f" HAVING min({field}) <> max({field}) ORDER BY {IDENTITY} LIMIT {DIFFERENCES_LIMIT}"
        ).fetchall()
        work.loose += [
            Issue(
                "row_key_duplicate",
                f"The entitlement {name!r} of {kind} {resource!r} has {count} different texts in {cell.header};"
                " the first in the alphabet is kept.",
                severity="warning",
                column=cell.header,
                value=shown(name),
                remedy="Write the same text in all rows of an entitlement.",
            )
            for kind, resource, name, count in found
        ]
