"""Accounts: from distinct account cells to one record per id.

In: the relation of `gather`. Out: table `people` (n, key, id, one column per attribute) and table
`ids` (raw cell → n) for the grants. Rows of one id that contradict each other are all refused (table
`conflicts`), whichever comes first, so that the result does not depend on the order of the file. Where
a row is a grant, a blank attribute makes no statement; where a row is an account, it does.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from grantline.mapping import masks
from grantline.mapping.checks import Check, account_checks, defines, removes
from grantline.mapping.levels import levels
from grantline.mapping.plan import Cell, Plan
from grantline.mapping.records import ACCOUNT_FIELDS
from grantline.mapping.sql import INVISIBLE_SQL, literal, literals
from grantline.mapping.targets import PROFILE
from grantline.mapping.work import Work

CASE_DIFFERS = "letter case of the id"
FORM_DIFFERS = "Unicode form of the id"


def key_sql(plan: Plan, value: str) -> str:
    """What makes two ids the same account: the id, whatever its letter case, unless that matters."""
    sensitive = plan.id is not None and plan.id.rule.case == "sensitive"
    return value if sensitive else f"lower({value})"


def gather_accounts(work: Work, relation: str) -> None:
    """Makes the tables `people` and `ids`, and `conflicts` where there are any."""
    plan = work.plan
    assert plan.id is not None  # noqa: S101
    _read_cells(work, relation, plan.id)
    good = f"(SELECT * FROM {work.name('held')} WHERE NOT refused)"
    count, keys = work.one(f"SELECT count(*), count(DISTINCT key) FROM {good}")
    if count == keys:
        # Nothing to merge: the row's place in `held` is its number.
        fields = _fields(plan)
        numbered = f"(SELECT rowid::UINTEGER AS n, * FROM {work.name('held')} WHERE NOT refused)"
        work.view("people", f"SELECT n, key, id, removed{fields} FROM {numbered}")
        work.view("ids", f"SELECT {plan.id.raw} AS raw, n FROM {numbered}")
    else:
        _merge(work, good)
        people = f"{work.name('people')} p USING (key)"
        work.create("ids", f"SELECT DISTINCT h.{plan.id.raw} AS raw, p.n FROM {good} h JOIN {people}")
    _note_repeats(work, good)


def _read_cells(work: Work, relation: str, id_cell: Cell) -> None:
    """Table `held`: distinct account cells with their values, and whether they are refused."""
    plan = work.plan
    checks = account_checks(plan, work.orders) if work.checked else []
    cells = [cell for cell in (id_cell, *plan.attributes, *plan.lists, plan.kind, plan.op) if cell]
    if plan.lists:
        cells += plan.dates
    kept = [f"{cell.trimmed} AS w{cell.index}" for cell in plan.worded]
    kept += [cell.value for cell in (*plan.attributes, *plan.lists, *(plan.dates if plan.lists else ()))]
    held = work.create(
        "held",
        f"SELECT *, id IS NULL OR {masks.is_refused(checks)} AS refused FROM ("
        f"SELECT {id_cell.raw}, times, {id_cell.value} AS id, {key_sql(plan, id_cell.value)} AS key,"
        f" {removes(plan)} AS removed, {masks.columns([tryable(check) for check in checks])}"
        f"{''.join(', ' + column for column in kept)}"
        f" FROM {levels(relation, cells, work.orders)} WHERE NOT {defines(plan)})",
    )
    keep_live(work, checks, held)


def tryable(check: Check) -> str:
    """The check's condition where the whole row is not at hand."""
    return check.condition.replace("/*blank*/", "false")


def keep_live(work: Work, checks: Sequence[Check], table: str) -> None:
    """Adds to the live checks those whose bit is set in some row of `table`."""
    found = masks.anywhere(work, table, len(checks))
    work.live += [check for bit, check in enumerate(checks) if found >> bit & 1]


def _merge(work: Work, good: str) -> None:
    """Puts the cells of one account together, or finds that they contradict each other."""
    plan = work.plan
    merged, tests = ["min(id) AS id", "bool_or(removed) AS removed"], []
    merged += [f"min(w{cell.index}) AS w{cell.index}" for cell in plan.worded]
    for cell in plan.attributes:
        value = cell.value
        merged.append(f"min({value}) AS {value}")
        compared = f"lower({value})" if cell.target.kind == "email" else value
        test = f"min({compared}) <> max({compared})"
        if not plan.per_grant:
            test += f" OR count({value}) NOT IN (0, count(*))"
        tests.append((cell.header, test))
    if not plan.per_grant:
        tests.append((plan.op.header if plan.op else "", "bool_or(removed) <> bool_and(removed)"))
    folds = " AND NOT regexp_matches(min(id), '[@\\\\]')" if plan.per_grant else ""
    tests.append((CASE_DIFFERS, f"min(id) <> max(id){folds}"))
    if not plan.per_grant and plan.id is not None:
        bare = f"trim({plan.id.raw}, {INVISIBLE_SQL})"
        tests.append((FORM_DIFFERS, f"min(id) = max(id) AND min({bare}) <> max({bare})"))
    differ = ", ".join(f"CASE WHEN {test} THEN {literal(header)} END" for header, test in tests)
    table = work.create(
        "merged",
        f"SELECT key, {', '.join(merged)}, nullif(concat_ws(', ', {differ}), '') AS differ FROM {good} GROUP BY key",
    )
    fields = _fields(plan)
    work.create(
        "people",
        f"SELECT (row_number() OVER () - 1)::UINTEGER AS n, key, id, removed{fields} FROM {table} WHERE differ IS NULL",
    )
    conflicts = work.create("conflicts", f"SELECT key, differ FROM {table} WHERE differ IS NOT NULL")
    work.conflicts = bool(work.one(f"SELECT count(*) FROM {conflicts}")[0])
    work.drop("merged")


def _fields(plan: Plan) -> str:
    """The columns of `people` behind the id: attributes, and words that were no dates."""
    words = "".join(f", w{cell.index}" for cell in plan.worded)
    return "".join(f", {cell.value}" for cell in plan.attributes) + words


def _note_repeats(work: Work, good: str) -> None:
    if work.plan.per_grant:
        return
    repeated, people = work.one(
        f"SELECT (SELECT coalesce(sum(times), 0) FROM {good} WHERE key IN (SELECT key FROM {work.name('people')})),"
        f" (SELECT count(*) FROM {work.name('people')})"
    )
    if repeated > people and work.plan.lists:
        # Rows of one account may each name other entitlements: only what is the same in all cells counts.
        cells = [cell.raw for cell in work.plan.cells if cell.column is not None]
        (distinct,) = work.one(f"SELECT count(*) FROM (SELECT DISTINCT {', '.join(cells)} FROM {work.rows()})")
        people = max(people, distinct)
    if repeated > people:
        work.notes.append(f"Exact duplicates of a row, counted once: {repeated - people}.")


def finish_accounts(work: Work, only: str | None) -> str:
    """The final table of accounts; `only` restricts it to accounts that an accepted row names."""
    plan = work.plan
    filled = {cell.target.field: cell.value for cell in plan.attributes if "profile" not in cell.target.name}
    if "type" in filled:
        filled["type"] = f"coalesce({filled['type']}, 'person')"
    fields = ", ".join(f"{filled.get(name, 'NULL::VARCHAR')} AS {name}" for name in ACCOUNT_FIELDS)
    where = f" WHERE n IN (SELECT account FROM {only})" if only else ""
    return work.create(
        "accounts",
        f"SELECT n, id, {fields}, {_profile(plan)} AS profile FROM {work.name('people')}{where}",
    )


def _profile(plan: Plan) -> str:
    texts = {
        cell.target.name.removeprefix(PROFILE): cell.value
        for cell in plan.attributes
        if cell.target.name.startswith(PROFILE)
    }
    for cell in plan.worded:
        # The words of *empty* differ in meaning: "never used" is not "unknown".
        word = f"w{cell.index}"
        texts[word_name(cell)] = (
            f"CASE WHEN {cell.value} IS NULL AND {word} IN ({literals(cell.rule.nulls)}) THEN {word} END"
        )
    pairs = [
        f"CASE WHEN ({text}) IS NOT NULL THEN {literal(_key(name))} || to_json({text})::VARCHAR END"
        for name, text in sorted(texts.items())
    ]
    if not pairs:
        return "NULL::VARCHAR"
    return f"nullif('{{' || concat_ws(',', {', '.join(pairs)}) || '}}', '{{}}')"


def word_name(cell: Cell) -> str:
    """Key of the profile that keeps a date column's word for *empty*: `last_login_at_word`."""
    return cell.target.field + "_word"


def _key(name: str) -> str:
    return json.dumps(name, ensure_ascii=False) + ":"
