"""Several mapped files become one: accounts, entitlements and grants of all parts, each once.

In: the parts of an import, each mapped on its own (`Part`). Out: one `Records`. A part whose rows are
accounts is a *roster*; where there is one, the other parts refer to its accounts, by id, or by an e-mail
address or username that only one account has. A part that only defines entitlements settles its
resource types likewise. What refers to nothing is an issue (`reference_unknown`, see `references`) and is
left out. An account that two parts describe differently is in doubt: neither copy is taken, and what was
known of it stays. The result does not depend on the order of the parts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import duckdb

from grantline.issues import Issue
from grantline.mapping.findings import KEPT_ISSUES
from grantline.mapping.records import (
    ACCOUNT_FIELDS,
    ENTITLEMENT_FIELDS,
    ENTITLEMENT_KEY,
    GRANT_FIELDS,
    Records,
)
from grantline.mapping.references import Dangling, conflicting, dangling
from grantline.mapping.sql import literal
from grantline.mapping.targets import PROFILE
from grantline.mapping.work import Work

IDENTITY = ", ".join(ENTITLEMENT_KEY)
STATED_PROFILE = f"account.{PROFILE}"


@dataclass(frozen=True)
class Part:
    """One mapped file: its name (None: a sheet, whose issues name it in their cells), records and work."""

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
        return None if self.is_sheet else self.name


def combine(con: duckdb.DuckDBPyConnection, parts: Sequence[Part], prefix: str = "map_") -> Records:
    """The records of all parts, in temporary tables of `con` whose names start with `prefix`."""
    return _Combination(con, parts, prefix).records()


class _Combination:
    def __init__(self, con: duckdb.DuckDBPyConnection, parts: Sequence[Part], prefix: str) -> None:
        self.con, self.parts, self.prefix = con, parts, prefix
        self.mode = parts[0].records.mode
        # A delta file may speak of accounts and entitlements that only earlier files named.
        self.rosters = [part for part in parts if part.is_roster] if self.mode == "full" else []
        self.definers = [part for part in parts if part.defines] if self.mode == "full" else []
        self.issues: list[Issue] = []
        self.counts: Counter[str] = Counter()
        self.notes: list[str] = []
        self.rejected = 0

    def records(self) -> Records:
        """Goes through the steps."""
        for part in self.parts:
            self.issues += [issue if part.is_sheet else replace(issue, file=part.name) for issue in part.records.issues]
            self.counts.update(part.records.issue_counts)
            self.notes += [f"{part.name}: {note}" for note in part.records.notes]
        self._accounts()
        self._entitlements()
        self._references()
        grants = self._grants()
        removals = self._removals()
        unconfirmed = " UNION ".join(f"SELECT id FROM {part.records.unconfirmed}" for part in self.parts)
        conflicts = (
            f"SELECT DISTINCT id FROM {self._name('all_accounts')} WHERE key IN (FROM {self._name('conflicts')})"
        )
        (resources,) = self._one(
            f"SELECT count(*) FROM (SELECT DISTINCT resource_type, resource FROM {self._name('entitlements')})"
        )
        records = Records(
            accounts=self._name("accounts"),
            entitlements=self._name("entitlements"),
            grants=grants,
            unconfirmed=self._create("unconfirmed", f"{unconfirmed} UNION {conflicts}"),
            removals=removals,
            mode=self.mode,
            stated=frozenset().union(*(part.records.stated for part in self.parts)),
            rows_read=sum(part.records.rows_read for part in self.parts),
            rows_rejected=sum(part.records.rows_rejected for part in self.parts) + self.rejected,
            resource_count=resources,
            issues=tuple(self.issues[:KEPT_ISSUES]),
            issue_counts=dict(sorted(self.counts.items())),
            notes=tuple(self.notes),
        )
        for table in ("all_accounts", "account_numbers", "all_entitlements", "entitlement_numbers", "conflicts"):
            self.con.execute(f"DROP TABLE IF EXISTS {self._name(table)}")
        return records

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
        sensitive = any(part.work.plan.id is not None and part.work.plan.id.rule.case for part in self.parts)
        if sensitive:
            self.con.execute(f"UPDATE {self._name('all_accounts')} SET key = id")
        defining = [index for index, part in enumerate(self.parts) if not self.rosters or part in self.rosters]
        among = f"part IN ({', '.join(map(str, defining))})"
        self._create("conflicts", f"SELECT key FROM ({self._conflicts(defining)})")
        merged = ", ".join(self._merged(name) for name in ACCOUNT_FIELDS)
        self._create(
            "accounts",
            f"SELECT (row_number() OVER (ORDER BY key) - 1)::UINTEGER AS n, id, {fields} FROM ("
            f"SELECT key, min(id) FILTER ({among}) AS id, {merged}, {self._profile()} AS profile"
            f" FROM {self._name('all_accounts')} WHERE key NOT IN (FROM {self._name('conflicts')})"
            f" GROUP BY key HAVING bool_or({among}))",
        )
        self._note_duplicates(defining)
        self._number_accounts(sensitive)
        self._report_conflicts()

    def _stating(self, name: str) -> list[int]:
        """The parts that speak about a field of accounts; of rosters, if there are any that do."""
        stating = [index for index, part in enumerate(self.parts) if name in part.records.stated]
        rosters = [index for index in stating if self.parts[index] in self.rosters]
        return rosters or stating

    def _merged(self, field: str) -> str:
        stating = ", ".join(map(str, self._stating(f"account.{field}"))) or "-1"
        if field == "type" and stating != "-1":
            return f"coalesce(min(type) FILTER (part IN ({stating})), 'person') AS type"
        return f"min({field}) FILTER (part IN ({stating})) AS {field}"

    def _profile(self) -> str:
        """The attributes of all parts together; keys in order, as everywhere."""
        owners = [
            i for i, part in enumerate(self.parts) if any(s.startswith(STATED_PROFILE) for s in part.records.stated)
        ]
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
        among = f"part IN ({', '.join(map(str, defining))})"
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
        among = f"part IN ({', '.join(map(str, defining))})"
        (repeated,) = self._one(
            f"SELECT count(*) - count(DISTINCT key) FROM {self._name('all_accounts')}"
            f" WHERE {among} AND key NOT IN (FROM {self._name('conflicts')})"
        )
        if repeated:
            self.notes.append(f"Exact duplicates of accounts in several parts, counted once: {repeated:,}.")

    def _number_accounts(self, sensitive: bool) -> None:
        """By id; else by the address or username that only one account has."""
        key = "id" if sensitive else "lower(id)"
        named = " UNION ALL ".join(
            f"SELECT lower({f}) AS name, n FROM {self._name('accounts')} WHERE {f} IS NOT NULL"
            for f in ("email", "username")
        )
        self._create(
            "account_numbers",
            f"SELECT part, here, a.id, a.key, coalesce(k.n, s.n) AS n FROM {self._name('all_accounts')} a"
            f" LEFT JOIN (SELECT {key} AS key, n FROM {self._name('accounts')}) k ON k.key = a.key"
            f" LEFT JOIN (SELECT name, min(n) AS n FROM ({named}) GROUP BY name HAVING min(n) = max(n)) s"
            " ON k.n IS NULL AND s.name = lower(a.id)",
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
        defining = [index for index, part in enumerate(self.parts) if not self.rosters or part in self.rosters]
        query = f"SELECT * FROM ({self._conflicts(defining)}) WHERE key IN (SELECT unnest(?))"
        return dict(self.con.execute(query, [list(keys)]).fetchall())

    # Entitlements

    def _entitlements(self) -> None:
        """Tables `entitlements` and `entitlement_numbers` (part, here → n; NULL where none is defined)."""
        columns = f"n AS here, {IDENTITY}, {', '.join(ENTITLEMENT_FIELDS)}"
        self._create(
            "all_entitlements",
            " UNION ALL ".join(
                f"SELECT {index}::USMALLINT AS part, {str(part.defines).lower()} AS defined, {columns}"
                f" FROM {part.records.entitlements}"
                for index, part in enumerate(self.parts)
            ),
        )
        everything = self._name("all_entitlements")
        settled = (
            f"SELECT DISTINCT resource_type FROM {everything} WHERE defined"
            if self.definers
            else "SELECT NULL WHERE false"
        )
        details = ", ".join(f"coalesce(min({f}) FILTER (defined), min({f})) AS {f}" for f in ENTITLEMENT_FIELDS)
        self._create(
            "entitlements",
            f"SELECT (row_number() OVER (ORDER BY {IDENTITY}) - 1)::UINTEGER AS n, * FROM ("
            f"SELECT {IDENTITY}, {details} FROM {everything} GROUP BY {IDENTITY}"
            f" HAVING bool_or(defined) OR resource_type NOT IN ({settled}))",
        )
        same = " AND ".join(f"e.{name} = a.{name}" for name in ENTITLEMENT_KEY)
        self._create(
            "entitlement_numbers",
            f"SELECT a.part, a.here, {', '.join(f'a.{name}' for name in ENTITLEMENT_KEY)}, e.n"
            f" FROM {everything} a LEFT JOIN {self._name('entitlements')} e ON {same}",
        )

    # Grants

    def _references(self) -> None:
        for index, part in enumerate(self.parts):
            found: Dangling = dangling(
                self.con,
                part,
                self._numbers("account_numbers", index, " AND id IS NOT NULL"),
                self._numbers("entitlement_numbers", index),
                f"(FROM {self._name('conflicts')})",
            )
            self.issues += found.issues
            if found.count:
                self.counts["reference_unknown"] += found.count
                self.rejected += found.rejected

    def _numbers(self, table: str, index: int, more: str = "") -> str:
        return f"(SELECT * FROM {self._name(table)} WHERE part = {index}{more})"

    def _grants(self) -> str:
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
