"""Doubts about records: what is accepted and still deserves a look, once a file is mapped.

In: the work of one mapping and its final tables. Out: issues in `work.loose`. Addresses of two accounts
that differ only by letter case may be one person; a group with exactly 1000, 1500 or 5000 members was
probably cut by the directory that wrote it; an entitlement defined in two Unicode forms is one, and the
second definition is refused. Each test runs on small tables; the file is only scanned again to say where.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from grantline.issues import Issue, shown
from grantline.mapping.checks import defines
from grantline.mapping.findings import cell_name
from grantline.mapping.grants import accepted
from grantline.mapping.levels import levels
from grantline.mapping.plan import Cell
from grantline.mapping.records import ENTITLEMENT_KEY
from grantline.mapping.sql import INVISIBLE_SQL, literals
from grantline.mapping.work import Work

DOUBTS_LIMIT = 100
"""Records of one kind of doubt that are reported one by one."""

CUT_SIZES = (1000, 1500, 5000)
"""Where directories cut lists of members: result pages of LDAP, ranged attributes, the AD web service."""


def doubt_addresses(work: Work, accounts: str) -> None:
    """Warns of accounts whose e-mail addresses differ only by letter case."""
    cell = work.plan.find("account.email")
    if cell is None or work.plan.id is None or cell.column is None:
        return
    doubled = (
        f"SELECT lower(email) FROM {accounts} WHERE email IS NOT NULL"
        f" GROUP BY lower(email) HAVING min(email) <> max(email) ORDER BY 1 LIMIT {DOUBTS_LIMIT}"
    )
    if not work.con.execute(doubled).fetchall():
        return
    found = work.con.execute(
        f"SELECT list(DISTINCT email), list_sort(list(id)) FROM {accounts} WHERE lower(email) IN ({doubled})"
        " GROUP BY lower(email) ORDER BY 2"
    ).fetchall()
    names = {email: ids for emails, ids in found for email in emails}
    for row, email in _rows_with(work, cell, cell.value, list(names)) if names else ():
        who = " and ".join(repr(shown(name)) for name in names[email][:3])
        work.loose.append(
            _placed(
                work,
                cell,
                row,
                Issue(
                    "row_key_duplicate",
                    f"The accounts {who} have e-mail addresses that differ only by letter case; both are kept.",
                    severity="warning",
                    value=shown(email),
                    remedy="If they are one person's, keep one; else give each its own address.",
                ),
            )
        )


def doubt_sizes(work: Work, entitlements: str, grants: str) -> None:
    """Warns of entitlements that have exactly as many accounts as directories put on one page."""
    source = next((cell for cell in (*work.plan.lists, *work.plan.identity) if cell.column is not None), None)
    sizes = ", ".join(map(str, CUT_SIZES))
    found = work.con.execute(
        f"SELECT e.resource, g.size FROM (SELECT entitlement AS n, count(*) AS size FROM {grants} GROUP BY 1"
        f" HAVING count(*) IN ({sizes})) g JOIN {entitlements} e USING (n) ORDER BY 1 LIMIT {DOUBTS_LIMIT}"
    ).fetchall()
    work.loose += [
        Issue(
            "value_invalid",
            f"{name!r} has exactly {size:,} accounts: its list may have been cut where it was exported.",
            severity="warning",
            column=source.header if source else None,
            value=shown(name),
            remedy="Compare with the system itself; raise the page size of the export.",
        )
        for name, size in found
    ]


def refuse_forms(work: Work) -> int:
    """Refuses the second definition of an entitlement that two Unicode forms define; how many rows."""
    plan = work.plan
    columns = [cell for cell in plan.identity if cell.column is not None]
    if not columns or (plan.id is not None and plan.kind is None):
        return 0
    key = ", ".join(ENTITLEMENT_KEY)
    keys = work.con.execute(
        f"SELECT {key} FROM {work.name('part')} WHERE NOT refused AND named AND defined"
        f" GROUP BY {key} HAVING count(DISTINCT ({_as_written(columns)})) > 1 LIMIT {DOUBTS_LIMIT}"
    ).fetchall()
    first: dict[tuple[str, ...], tuple[int, list[str]]] = {}
    refused = 0
    for row, names, forms in _definitions(work, columns, keys) if keys else ():
        first_row, first_forms = first.setdefault(tuple(names), (row, forms))
        if forms == first_forms:
            continue
        refused += 1
        place = next(place for place, form in enumerate(forms) if form != first_forms[place])
        name = shown(first_forms[place])
        issue = Issue(
            "row_key_duplicate",
            f"{name!r} is defined in the rows {first_row} and {row}, in two Unicode forms of the same text.",
            value=name,
            remedy="Define it once; both forms mean the same.",
        )
        work.loose.append(_placed(work, columns[place], row, issue))
    return refused


def _as_written(columns: Sequence[Cell]) -> str:
    """The cells as the file has them, without invisible spaces around them."""
    return ", ".join(f"trim({cell.raw}, {INVISIBLE_SQL})" for cell in columns)


def _definitions(
    work: Work, columns: Sequence[Cell], keys: Sequence[tuple[str, ...]]
) -> list[tuple[int, list[str], list[str]]]:
    """The rows, in order, that define one of `keys`: number, key, the cells as written."""
    identity = work.plan.identity_sql()
    key = ", ".join(identity[name] for name in ENTITLEMENT_KEY)
    wanted = ", ".join(f"({literals(names)})" for names in keys)
    return work.con.execute(
        f'SELECT "row", [{key}], [{_as_written(columns)}] FROM {accepted(work, work.numbered())}'
        f' WHERE {defines(work.plan)} AND ({key}) IN ({wanted}) ORDER BY "row" LIMIT {DOUBTS_LIMIT * 4}'
    ).fetchall()


def _rows_with(work: Work, cell: Cell, value: str, wanted: list[str]) -> list[tuple[int, str]]:
    """Rows, in order, in which the cell's value is one of `wanted`."""
    over = levels(work.numbered(), [cell], work.orders)
    return work.con.execute(
        f'SELECT "row", {value} FROM {over} WHERE {value} IN ({literals(wanted)}) ORDER BY 1 LIMIT {DOUBTS_LIMIT * 4}'
    ).fetchall()


def _placed(work: Work, cell: Cell, row: int, issue: Issue) -> Issue:
    place = work.source.places([row]).get(row)
    return replace(
        issue,
        row=row,
        line=place.line if place else None,
        cell=cell_name(place, cell.column, cell.header),
        column=cell.header,
    )
