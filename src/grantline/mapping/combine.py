"""Several mapped files become one: accounts, entitlements and grants of all parts, each once.

In: the parts of an import, each mapped on its own (`Part`). Out: one `Records`. A part whose rows are
accounts is a *roster*; where there is one, the other parts refer to its accounts, by id, or by an e-mail
address or username that only one account has. A part that only defines entitlements settles its
resource types likewise. Other imports of the application may list accounts and entitlements too
(`others`). What refers to nothing is an issue (`reference_unknown`, see `references`) and is left out.
An account that two parts describe differently is in doubt: neither copy is taken, and what was known of
it stays. The result does not depend on the order of the parts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import duckdb

from grantline.issues import Issue
from grantline.mapping.findings import KEPT_ISSUES
from grantline.mapping.others import MATCHED, Others, as_known, find_listed, is_sensitive, key_of
from grantline.mapping.records import (
    ACCOUNT_FIELDS,
    ENTITLEMENT_FIELDS,
    ENTITLEMENT_KEY,
    GRANT_FIELDS,
    Records,
    References,
)
from grantline.mapping.references import Numbers, conflicting, dangling
from grantline.mapping.sql import literal, literals
from grantline.mapping.targets import PROFILE
from grantline.mapping.work import Work

IDENTITY = ", ".join(ENTITLEMENT_KEY)
STATED_PROFILE = f"account.{PROFILE}"
INTERMEDIATE = (
    *("all_accounts", "account_numbers", "all_entitlements", "entitlement_numbers"),
    *("conflicts", "unlisted", "defined_elsewhere"),
)


@dataclass(frozen=True)
class Part:
    """One mapped file: its name (empty: the only file), records and work. A sheet's issues name it in
    their cells."""

    name: str
    records: Records
    work: Work
    is_sheet: bool = False

    @property
    def is_roster(self) -> bool:
        """Whether its rows are accounts."""
        return self.work.plan.id is not None and not self.work.plan.per_grant

    @property
    def defines(self) -> bool:
        """Whether it defines entitlements that others refer to."""
        return self.work.plan.id is None

    @property
    def file(self) -> str | None:
        """The file that its issues name."""
        return None if self.is_sheet else self.name or None


def combine(
    con: duckdb.DuckDBPyConnection, parts: Sequence[Part], prefix: str = "map_", others: Others | None = None
) -> Records:
    """The records of all parts, in temporary tables of `con` whose names start with `prefix`.

    `others` is what other imports of the application list.
    """
    return _Combination(con, parts, prefix, others or Others()).records()


def is_resolved(found: References, others: Others | None) -> bool:
    """Whether a file names something that other imports settle."""
    return others is not None and bool(
        (found.names_accounts and others.accounts) or (found.names_entitlements and others.entitlements)
    )


class _Combination:
    def __init__(self, con: duckdb.DuckDBPyConnection, parts: Sequence[Part], prefix: str, others: Others) -> None:
        self.con, self.parts, self.prefix = con, parts, prefix
        self.mode = parts[0].records.mode
        self.others_index = len(parts)
        """The place of other imports among the parts."""
        # A delta file may speak of accounts and entitlements that only earlier files named.
        self.rosters = [part for part in parts if part.is_roster] if self.mode == "full" else []
        self.definers = [part for part in parts if part.defines] if self.mode == "full" else []
        self.issues: list[Issue] = []
        self.counts: Counter[str] = Counter()
        self.notes: list[str] = []
        self.rejected = self.dangling = self.unlisted = 0
        self.sensitive = any(part.work.plan.id is not None and part.work.plan.id.rule.case for part in parts)
        self.references = self._references_of_all()
        self.others = replace(
            others,
            accounts=others.accounts if self.references.names_accounts else None,
            entitlements=others.entitlements if self.references.names_entitlements else None,
        )
        if self.others.accounts is not None and not self.sensitive:
            self.sensitive = is_sensitive(con, self.others.accounts)

    def _references_of_all(self) -> References:
        """What the parts together offer and refer to: where some list accounts, the rest names them."""
        found = [part.records.references for part in self.parts]
        lists = any(one.lists_accounts for one in found)
        naming = any(part.work.plan.id is not None and not part.is_roster for part in self.parts)
        return References(
            lists_accounts=lists,
            describes_accounts=any(one.describes_accounts for one in found),
            defines=tuple(sorted({kind for one in found for kind in one.defines})),
            names_accounts=self.mode == "full" and naming and (bool(self.rosters) or not lists),
            names_entitlements=any(one.names_entitlements for one in found),
        )

    def records(self) -> Records:
        """Goes through the steps."""
        for part in self.parts:
            self.issues += [
                issue if part.file is None else replace(issue, file=part.name) for issue in part.records.issues
            ]
            self.counts.update(part.records.issue_counts)
            self.notes += [f"{part.name}: {note}" if part.name else note for note in part.records.notes]
        self._accounts()
        self._entitlements()
        self._references()
        grants = self._grants()
        removals = self._removals()
        (resources,) = self._one(
            f"SELECT count(*) FROM (SELECT DISTINCT resource_type, resource FROM {self._name('entitlements')})"
        )
        records = Records(
            accounts=self._name("accounts"),
            entitlements=self._name("entitlements"),
            grants=grants,
            unconfirmed=self._unconfirmed(),
            removals=removals,
            mode=self.mode,
            stated=frozenset().union(*(part.records.stated for part in self.parts)),
            rows_read=sum(part.records.rows_read for part in self.parts),
            rows_rejected=sum(part.records.rows_rejected for part in self.parts) + self.rejected,
            resource_count=resources,
            issues=tuple(self.issues[:KEPT_ISSUES]),
            issue_counts=dict(sorted(self.counts.items())),
            notes=tuple(self.notes),
            rows_dangling=self.dangling,
            rows_unlisted=self.unlisted,
            renamed=self._renamed(),
            references=self.references,
        )
        for table in (*INTERMEDIATE, *MATCHED):
            self.con.execute(f"DROP TABLE IF EXISTS {self._name(table)}")
        return records

    def _renamed(self) -> str | None:
        """What the import took for accounts before another one listed them, under the names in its file."""
        if self.others.accounts is None or self.others.known is None:
            return None
        return self._create(
            "renamed",
            f"SELECT DISTINCT k.id AS old_id, c.id AS new_id FROM {self.others.known} k"
            f" JOIN {self._name('account_numbers')} a ON a.key = {key_of('k.id', sensitive=self.sensitive)}"
            f" JOIN {self._name('accounts')} c ON c.n = a.n WHERE k.id <> c.id",
        )

    def _unconfirmed(self) -> str:
        """The accounts that refused rows name, also under the names by which they are known already."""
        refused = " UNION ".join(f"SELECT id FROM {part.records.unconfirmed}" for part in self.parts)
        query = (
            f"{refused} UNION SELECT id FROM {self._name('unlisted')} UNION"
            f" SELECT DISTINCT id FROM {self._name('all_accounts')} WHERE key IN (FROM {self._name('conflicts')})"
        )
        table = self._create("unconfirmed", query)
        if self.others.known is not None and self._one(f"SELECT count(*) FROM {table}") != (0,):
            known = as_known(self.others, table, sensitive=self.sensitive)
            self.con.execute(f"INSERT INTO {table} SELECT id FROM ({known}) WHERE id NOT IN (FROM {table})")
        return table

    # Accounts

    def _accounts(self) -> None:
        """Tables `accounts`, `account_numbers` (part, here → n; NULL where nothing is meant), `conflicts`."""
        fields = ", ".join((*ACCOUNT_FIELDS, "profile"))
        self._create(
            "all_accounts",
            " UNION ALL ".join(
                f"SELECT {index}::USMALLINT AS part, n AS here, id, lower(id) AS key, {fields}"
                f" FROM {part.records.accounts}"
                for index, part in enumerate(self.parts)
            ),
        )
        if self.sensitive:
            self.con.execute(f"UPDATE {self._name('all_accounts')} SET key = id")
        defining = self._defining()
        own, among = self._among(defining), self._among([*defining, self.others_index])
        self._create("conflicts", f"SELECT key FROM ({self._conflicts(defining)})")
        if self.others.accounts is not None:
            self._take_listed(self.others.accounts, own)
        merged = ", ".join(self._merged(name) for name in ACCOUNT_FIELDS)
        self._create(
            "accounts",
            f"SELECT {self._number('key', 'all_accounts')} AS n, id, {fields} FROM ("
            f"SELECT key, min(here) AS here, coalesce(min(id) FILTER ({own}), min(id) FILTER ({among})) AS id,"
            f" {merged}, {self._profile()} AS profile"
            f" FROM {self._name('all_accounts')} WHERE key NOT IN (FROM {self._name('conflicts')})"
            f" GROUP BY key HAVING bool_or({among}))",
        )
        self._note_duplicates(defining)
        self._number_accounts()
        self._report_conflicts()

    def _defining(self) -> list[int]:
        """The parts whose rows say which accounts there are; none where only other imports do."""
        if not self.rosters and self.others.accounts is not None:
            return []
        return [index for index, part in enumerate(self.parts) if not self.rosters or part in self.rosters]

    def _among(self, parts: Sequence[int]) -> str:
        return f"part IN ({', '.join(map(str, parts))})" if parts else "false"

    def _number(self, order: str, table: str) -> str:
        """The integer of a merged row: of one part its own, so that its grants can stay as they are."""
        if len(self.parts) > 1:
            return f"(row_number() OVER (ORDER BY {order}) - 1)::UINTEGER"
        free = f"(SELECT coalesce(max(here) + 1, 0) FROM {self._name(table)})"
        return f"coalesce(here, {free} + row_number() OVER ())::UINTEGER"

    def _take_listed(self, others: str, own: str) -> None:
        """Adds the accounts of other imports that are meant, as rows of one more part."""
        every = self._name("all_accounts")
        naming = [i for i, part in enumerate(self.parts) if part not in self.rosters]
        found = find_listed(
            self.con,
            others,
            self.prefix,
            f"(SELECT id, key FROM {every} WHERE {self._among(naming)})",
            f"(SELECT key, email, username FROM {every} WHERE {own})",
            sensitive=self.sensitive,
        )
        self.con.execute(f"INSERT INTO {every} BY NAME SELECT {self.others_index}::USMALLINT AS part, * FROM ({found})")

    def _stating(self, name: str) -> list[int]:
        """The parts that speak about a field of accounts; of rosters, if there are any that do."""
        stating = [index for index, part in enumerate(self.parts) if name in part.records.stated]
        rosters = [index for index in stating if self.parts[index] in self.rosters]
        return rosters or stating

    def _merged(self, field: str) -> str:
        stating = ", ".join(map(str, self._stating(f"account.{field}")))
        if not stating:
            return f"NULL::VARCHAR AS {field}"
        if field == "type":
            # An account that only another import describes gets no attribute here, not even this one.
            described = f"bool_or({self._among(self._defining())})"
            return f"CASE WHEN {described} THEN coalesce(min(type) FILTER (part IN ({stating})), 'person') END AS type"
        return f"min({field}) FILTER (part IN ({stating})) AS {field}"

    def _profile(self) -> str:
        """The attributes of all parts together; keys in order, as everywhere."""
        owners = [
            i for i, part in enumerate(self.parts) if any(s.startswith(STATED_PROFILE) for s in part.records.stated)
        ]
        if not owners:
            return "NULL::VARCHAR"
        if (
            len({frozenset(s for s in self.parts[i].records.stated if s.startswith(STATED_PROFILE)) for i in owners})
            < 2
        ):
            return "min(profile)"
        pairs = "flatten(list(map_entries(CAST(profile AS MAP(VARCHAR, VARCHAR)))) FILTER (profile IS NOT NULL))"
        entries = f"list_sort({pairs})"
        return f"CASE WHEN count(profile) > 0 THEN to_json(map_from_entries(list_distinct({entries})))::VARCHAR END"

    def _conflicts(self, defining: list[int]) -> str:
        """A query of `key`, `differ`: keys that several defining parts describe differently, and in which columns."""
        tests = []
        for field in (*ACCOUNT_FIELDS, "profile"):
            stating = [index for index in self._stating_like(field) if index in defining]
            if len(stating) < 2:
                continue
            among = f"part IN ({', '.join(map(str, stating))})"
            value = f"lower({field})" if field in ("email", "owner_email") else field
            test = f"min({value}) FILTER ({among}) <> max({value}) FILTER ({among})"
            if all(self.parts[index].is_roster for index in stating):
                test += f" OR count({field}) FILTER ({among}) NOT IN (0, count(*) FILTER ({among}))"
            tests.append(f"CASE WHEN {test} THEN {literal(self._header(field))} END")
        differ = f"nullif(concat_ws(', ', {', '.join(tests)}), '')" if tests else "NULL::VARCHAR"
        among = self._among(defining)
        return (
            f"SELECT * FROM (SELECT key, {differ} AS differ FROM {self._name('all_accounts')}"
            f" WHERE {among} GROUP BY key HAVING count(*) > 1) WHERE differ IS NOT NULL"
        )

    def _stating_like(self, field: str) -> list[int]:
        if field != "profile":
            return self._stating(f"account.{field}")
        keys = [frozenset(s for s in part.records.stated if s.startswith(STATED_PROFILE)) for part in self.parts]
        first = next((key for key in keys if key), None)
        return [index for index, key in enumerate(keys) if first and key == first]

    def _header(self, field: str) -> str:
        """The column's own name, where a part has one."""
        for part in self.parts:
            cell = part.work.plan.find(f"account.{field}")
            if cell is not None and cell.column is not None:
                return cell.header
        return field

    def _note_duplicates(self, defining: list[int]) -> None:
        if not self.rosters:
            return
        among = self._among(defining)
        (repeated,) = self._one(
            f"SELECT count(*) - count(DISTINCT key) FROM {self._name('all_accounts')}"
            f" WHERE {among} AND key NOT IN (FROM {self._name('conflicts')})"
        )
        if repeated:
            self.notes.append(f"Exact duplicates of accounts in several parts, counted once: {repeated:,}.")

    def _number_accounts(self) -> None:
        """By id; else by the address or username that only one account has."""
        key = key_of("id", sensitive=self.sensitive)
        named = " UNION ALL ".join(
            f"SELECT lower({f}) AS name, n FROM {self._name('accounts')} WHERE {f} IS NOT NULL"
            for f in ("email", "username")
        )
        if self.others.accounts is not None:
            named = (
                f"SELECT l.name, k.n FROM {self._name('listed_names')} l JOIN"
                f" (SELECT {key} AS key, n FROM {self._name('accounts')}) k USING (key)"
            )
        self._create(
            "account_numbers",
            f"SELECT part, here, a.id, a.key, coalesce(k.n, s.n) AS n FROM {self._name('all_accounts')} a"
            f" LEFT JOIN (SELECT {key} AS key, n FROM {self._name('accounts')}) k ON k.key = a.key"
            f" LEFT JOIN (SELECT name, min(n) AS n FROM ({named}) GROUP BY name HAVING min(n) = max(n)) s"
            f" ON k.n IS NULL AND s.name = lower(a.id) WHERE part < {self.others_index}",
        )

    def _report_conflicts(self) -> None:
        (count,) = self._one(f"SELECT count(*) FROM {self._name('conflicts')}")
        if not count:
            return
        found = conflicting(self.con, self.parts, self._name("conflicts"), self._differences)
        self.issues += found.issues
        self.counts["row_key_duplicate"] += found.count
        self.rejected += found.count

    def _differences(self, keys: Sequence[str]) -> dict[str, str]:
        """Key → the columns in which its copies differ, in words."""
        query = f"SELECT * FROM ({self._conflicts(self._defining())}) WHERE key IN (SELECT unnest(?))"
        return dict(self.con.execute(query, [list(keys)]).fetchall())

    # Entitlements

    def _entitlements(self) -> None:
        """Tables `entitlements` and `entitlement_numbers` (part, here → n; NULL where none is defined)."""
        columns = f"n AS here, {IDENTITY}, {', '.join(ENTITLEMENT_FIELDS)}"
        self._create(
            "all_entitlements",
            " UNION ALL ".join(
                f"SELECT {index}::USMALLINT AS part, {self._defined(part)} AS defined, {columns}"
                f" FROM {part.records.entitlements}"
                for index, part in enumerate(self.parts)
            ),
        )
        everything = self._name("all_entitlements")
        settled = self._settled()
        elsewhere = self.others.entitlements or f"(SELECT {IDENTITY} FROM {everything} WHERE false)"
        self._create("defined_elsewhere", f"SELECT DISTINCT {IDENTITY}, true AS elsewhere FROM {elsewhere}")
        details = ", ".join(f"coalesce(min({f}) FILTER (defined), min({f})) AS {f}" for f in ENTITLEMENT_FIELDS)
        self._create(
            "entitlements",
            f"SELECT {self._number(IDENTITY, 'all_entitlements')} AS n, * EXCLUDE (here) FROM ("
            f"SELECT {IDENTITY}, min(here) AS here, {details} FROM {everything}"
            f" LEFT JOIN {self._name('defined_elsewhere')} USING ({IDENTITY}) GROUP BY {IDENTITY}"
            f" HAVING bool_or(defined) OR bool_or(coalesce(elsewhere, false)) OR resource_type NOT IN ({settled}))",
        )
        same = " AND ".join(f"e.{name} = a.{name}" for name in ENTITLEMENT_KEY)
        self._create(
            "entitlement_numbers",
            f"SELECT a.part, a.here, {', '.join(f'a.{name}' for name in ENTITLEMENT_KEY)}, e.n"
            f" FROM {everything} a LEFT JOIN {self._name('entitlements')} e ON {same}",
        )

    def _defined(self, part: Part) -> str:
        """Whether an entitlement of the part is defined there: all are, or those that rows say so of."""
        if part.defines or not part.work.defines_some:
            return str(part.defines).lower()
        return f"({IDENTITY}) IN (SELECT ({IDENTITY}) FROM {part.work.name('defined')})"

    def _settled(self) -> str:
        """The inside of an IN list: resource types whose entitlements are all defined, here or elsewhere."""
        kinds = {kind for part in self.definers for kind in part.records.references.defines}
        kinds |= set(self.others.settled) if self.others.entitlements is not None else set()
        return literals(sorted(kinds)) or "SELECT NULL WHERE false"

    # Grants

    def _references(self) -> None:
        self._create("unlisted", "SELECT NULL::VARCHAR AS id WHERE false")
        for index, part in enumerate(self.parts):
            numbers = Numbers(
                accounts=self._numbers("account_numbers", index, " AND id IS NOT NULL"),
                entitlements=self._numbers("entitlement_numbers", index),
                conflicts=f"(FROM {self._name('conflicts')})",
                known=self._name("accounts"),
                unlisted=self._name("unlisted"),
            )
            found = dangling(self.con, part, numbers, self.others)
            self.issues += found.issues
            if found.count:
                self.counts["reference_unknown"] += found.count
                self.rejected += found.rejected
                self.unlisted += found.unlisted
                self.dangling += found.rejected - found.unlisted

    def _numbers(self, table: str, index: int, more: str = "") -> str:
        return f"(SELECT * FROM {self._name(table)} WHERE part = {index}{more})"

    def _grants(self) -> str:
        if len(self.parts) == 1 and self._is_as_it_was("account") and self._is_as_it_was("entitlement"):
            return self.parts[0].records.grants
        queries = [
            f"SELECT a.n AS account, e.n AS entitlement, {', '.join(GRANT_FIELDS)} FROM {part.records.grants} g"
            f" JOIN {self._numbers('account_numbers', index)} a ON a.here = g.account"
            f" JOIN {self._numbers('entitlement_numbers', index)} e ON e.here = g.entitlement"
            " WHERE a.n IS NOT NULL AND e.n IS NOT NULL"
            for index, part in enumerate(self.parts)
        ]
        return self._create(
            "grants",
            "SELECT account, entitlement, min(granted_at) AS granted_at,"
            " CASE WHEN count(expires_at) = count(*) THEN max(expires_at) END AS expires_at"
            f" FROM ({' UNION ALL '.join(queries)}) GROUP BY account, entitlement",
        )

    def _is_as_it_was(self, kind: str) -> bool:
        """Whether every integer of that kind still means the same."""
        return self._one(f"SELECT count(*) FROM {self._name(f'{kind}_numbers')} WHERE n IS DISTINCT FROM here") == (0,)

    def _removals(self) -> str | None:
        if self.mode != "delta":
            return None
        queries = [
            f"SELECT a.n AS account, e.n AS entitlement FROM {part.records.removals} r"
            f" JOIN {self._numbers('account_numbers', index)} a ON a.here = r.account"
            f" LEFT JOIN {self._numbers('entitlement_numbers', index)} e ON e.here = r.entitlement"
            for index, part in enumerate(self.parts)
            if part.records.removals
        ]
        return self._create("removals", " UNION ".join(queries))

    def _name(self, table: str) -> str:
        return f"{self.prefix}{table}"

    def _create(self, table: str, query: str) -> str:
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE {self._name(table)} AS {query}")
        return self._name(table)

    def _one(self, query: str) -> tuple[int, ...]:
        row = self.con.execute(query).fetchone()
        assert row is not None, "an aggregate gives one row"  # noqa: S101
        return row
