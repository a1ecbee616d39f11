"""Applies a mapping to a file: raw rows become accounts, entitlements, grants and issues.

In: one DuckDB connection, a `Source` and a `Mapping`. Out: `Records`. Passes over the rows: one gathers
the distinct cells, one turns rows into pairs of integers, and only where something is wrong a third
finds out where. Nothing is held in Python beside the first issues. Invariant: every record of the file
is accepted, refused with an issue, blank, or left out by `where`; none disappears.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from collections.abc import Mapping as Columns
from dataclasses import replace

import duckdb

from grantline.errors import FileEmpty
from grantline.issues import Issue
from grantline.mapping import masks
from grantline.mapping.accounts import finish_accounts, gather_accounts, keep_live, word_name
from grantline.mapping.checks import cell_checks
from grantline.mapping.document import Mapping
from grantline.mapping.doubts import doubt_addresses, doubt_sizes, refuse_forms
from grantline.mapping.entitlements import gather_entitlements
from grantline.mapping.findings import KEPT_ISSUES, Findings, doubtful_ids, find
from grantline.mapping.gather import gather
from grantline.mapping.grants import gather_grants, gather_removals, refusing
from grantline.mapping.levels import levels
from grantline.mapping.members import unfold
from grantline.mapping.originals import with_records
from grantline.mapping.plan import Plan, make_plan
from grantline.mapping.records import ACCOUNT_FIELDS, ENTITLEMENT_FIELDS, ENTITLEMENT_KEY, Records, References
from grantline.mapping.source import Source
from grantline.mapping.targets import PROFILE
from grantline.mapping.work import Work

INTERMEDIATE = ("cells", "held", "people", "ids", "part", "parts", "entitled", "listed", "conflicts", "bad")


def apply(
    con: duckdb.DuckDBPyConnection, source: Source, mapping: Mapping, prefix: str = "map_", *, checked: bool = True
) -> Records:
    """The records of `source`, in temporary tables of `con` whose names start with `prefix`.

    Raises: `HeaderMissing`, `HeaderDuplicate`, `MappingInvalid` where mapping and header do not fit.
    """
    return map_source(con, source, mapping, prefix, checked=checked)[0]


def map_source(
    con: duckdb.DuckDBPyConnection, source: Source, mapping: Mapping, prefix: str, *, checked: bool = True
) -> tuple[Records, Work]:
    """The same, and the work by which rows can be looked up again (`combine`)."""
    unfolded, mapping = unfold(source, mapping)
    by_members = unfolded is not source
    plan = make_plan(_with_separators(mapping, source.separators), source.columns, by_members=by_members)
    work = Work(con, unfolded, plan, prefix, checked=checked)
    work.create("unconfirmed", "SELECT NULL::VARCHAR AS id WHERE false")
    gathered = gather(work)
    if gathered.accounts is not None:
        gather_accounts(work, gathered.accounts)
    gather_entitlements(work, gathered.entitlements)
    _try_dates(work, gathered.dates)
    grants = gather_grants(work)
    findings = find(work)
    doubtful_ids(work)
    removals = gather_removals(work)
    accounts, entitlements = _finish(work)
    if plan.id is not None and checked:
        doubt_addresses(work, accounts)
        doubt_sizes(work, entitlements, grants)
        _note_repeated_grants(work, grants)
    findings.rejected += refuse_forms(work) if plan.identity and checked else 0
    row_count = _row_count(work, source, _counted(con, source, plan) if by_members else gathered.row_count)
    records = _records(work, findings, (accounts, entitlements, grants, removals), row_count)
    work.drop(*INTERMEDIATE, *(("pairs",) if grants != work.name("pairs") else ()))
    return records, work


def _counted(con: duckdb.DuckDBPyConnection, source: Source, plan: Plan) -> int:
    """Rows of the file itself that the mapping's conditions keep, where each may have become several."""
    where = plan.where_sql()
    found = con.execute(f"SELECT count(*) FROM {source.rows}{f' WHERE {where}' if where else ''}").fetchone()
    return int(found[0]) if found else 0


def _with_separators(mapping: Mapping, separators: Columns[str, str]) -> Mapping:
    """The mapping, with lists split where the file's own lists were joined (JSON, Parquet)."""
    rules = tuple(
        replace(rule, split=separators[rule.source])
        if rule.to == "entitlements" and rule.source in separators
        else rule
        for rule in mapping.columns
    )
    return mapping if rules == mapping.columns else replace(mapping, columns=rules)


def drop(con: duckdb.DuckDBPyConnection, records: Records) -> None:
    """Drops the tables of `records`."""
    tables = (records.accounts, records.entitlements, records.grants, records.unconfirmed, records.removals)
    for table in filter(None, tables):
        con.execute(f"DROP TABLE IF EXISTS {table}")


def _try_dates(work: Work, relations: dict[int, str]) -> None:
    """Adds the checks of the grant's dates that fail for some cell to the live checks."""
    for cell in work.plan.dates if work.checked else ():
        checks = cell_checks(cell, work.orders)
        over = levels(relations[cell.index], [cell], work.orders)
        tried = f"(SELECT {masks.columns([check.condition for check in checks])} FROM {over})"
        keep_live(work, checks, tried)


def _note_repeated_grants(work: Work, grants: str) -> None:
    """A note on rows that give a grant again; only counted where no row is refused."""
    if not work.plan.per_grant or work.plan.lists or work.plan.op is not None or refusing(work):
        return
    (rows,) = work.one(f"SELECT coalesce(sum(times), 0)::BIGINT FROM {work.name('part')} WHERE named AND NOT defined")
    (given,) = work.one(f"SELECT count(*) FROM {grants}")
    if rows > given:
        work.notes.append(f"Rows that give a grant once more, counted once: {rows - given}.")


def _row_count(work: Work, file: Source, kept: int) -> int:
    """Records of the file that the reader took, wholly blank ones left out."""
    total = kept
    if work.plan.conditions:
        (total,) = work.one(f"SELECT count(*) FROM {file.rows}")
        if total > kept:
            work.notes.append(f"Rows left out by the mapping's conditions (where): {total - kept}.")
    if any(check.code == "row_key_missing" for check in work.live):
        (blank,) = work.one(f"SELECT count(*) FROM {file.rows} WHERE {work.plan.blank_sql()}")
        if blank:
            work.notes.append(f"Wholly blank rows, skipped: {blank}.")
        total -= blank
    return total


def _finish(work: Work) -> tuple[str, str]:
    """The final tables of accounts and entitlements, without those that only refused rows name."""
    some = refusing(work)
    if work.plan.id is None:
        names = ", ".join(f"NULL::VARCHAR AS {name}" for name in ("id", *ACCOUNT_FIELDS, "profile"))
        accounts = work.create("accounts", f"SELECT NULL::UINTEGER AS n, {names} WHERE false")
    else:
        accounts = finish_accounts(work, work.name("pairs") if some and work.plan.identity else None)
    pairs = f"SELECT entitlement FROM {work.name('pairs')} WHERE entitlement IS NOT NULL"
    only = f" WHERE defined OR n IN ({pairs})" if some else ""
    entitlements = work.create(
        "entitlements",
        f"SELECT n, {', '.join((*ENTITLEMENT_KEY, *ENTITLEMENT_FIELDS))} FROM {work.name('entitled')}{only}",
    )
    if work.plan.kind is not None or work.plan.by_members:
        work.create("defined", f"SELECT {', '.join(ENTITLEMENT_KEY)} FROM {work.name('entitled')} WHERE defined")
        work.defines_some = True
    return accounts, entitlements


def _stated(plan: Plan) -> frozenset[str]:
    """The fields that the file speaks about; of the profile, key by key."""
    names = {cell.target.name for cell in plan.cells if not cell.target.name.startswith("row.")}
    names |= {PROFILE + word_name(cell) for cell in plan.worded}
    return frozenset(f"account.{name}" if name.startswith(PROFILE) else name for name in names)


def _references(work: Work, entitlements: str) -> References:
    """What the file offers to other imports, and what it refers to."""
    plan = work.plan
    if plan.id is None:
        kinds = work.con.execute(f"SELECT DISTINCT resource_type FROM {entitlements} ORDER BY 1").fetchall()
        return References(defines=tuple(kind for (kind,) in kinds if kind is not None))
    describes = any(cell.column is not None for cell in plan.attributes)
    lists_accounts = describes or not plan.per_grant
    is_full = plan.mapping.mode == "full"
    return References(
        lists_accounts=lists_accounts,
        describes_accounts=describes,
        names_accounts=is_full and not lists_accounts,
        names_entitlements=is_full and bool(plan.identity or plan.lists),
    )


def _records(work: Work, findings: Findings, tables: tuple[str, str, str, str | None], row_count: int) -> Records:
    accounts, entitlements, grants, removals = tables
    found = [*work.loose, *_by_row(work.source.issues, findings.issues)]
    counts = Counter(issue.code for issue in (*work.source.issues, *work.loose)) + findings.counts
    (resources,) = work.one(f"SELECT count(*) FROM (SELECT DISTINCT resource_type, resource FROM {entitlements})")
    if row_count + work.source.rejected_count == 0:
        raise FileEmpty("The file has a header, but all of its rows are blank.")
    return Records(
        accounts=accounts,
        entitlements=entitlements,
        grants=grants,
        unconfirmed=work.name("unconfirmed"),
        removals=removals,
        mode=work.plan.mapping.mode,
        stated=_stated(work.plan),
        rows_read=row_count + work.source.rejected_count,
        rows_rejected=findings.rejected + work.source.rejected_count,
        resource_count=resources,
        issues=tuple(with_records(work, found[:KEPT_ISSUES])),
        issue_counts=dict(sorted(counts.items())),
        notes=tuple(work.notes),
        references=_references(work, entitlements),
    )


def _by_row(first: Iterable[Issue], second: Iterable[Issue]) -> list[Issue]:
    """Both lists in the order of rows; issues without a row come first."""
    return sorted((*first, *second), key=lambda issue: issue.row or 0)
