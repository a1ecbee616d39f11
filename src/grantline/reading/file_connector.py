"""The input of the c1z file connector, imported as it is: one CSV with a `record_type` column, or a workbook.

In: the table of such a CSV, or those of the workbook's sheets. Out: three parts (accounts, entitlements,
grants) as SQL over the same rows, so that every issue names the line or cell of the file itself. Headers
compare without letter case, spaces and underscores. An entitlement's resource type is that of the
resource it belongs to; holders of an entitlement that inherits another one get that one too. Other
record types (external grants) name principals that are not in the file, and are left out with a note.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping as Columns
from collections.abc import Sequence
from dataclasses import dataclass, replace

import duckdb

from grantline.formats.table import Table
from grantline.issues import Issue, shown
from grantline.mapping.document import ColumnRule, Mapping
from grantline.mapping.findings import KEPT_ISSUES
from grantline.mapping.sql import literal, trimmed
from grantline.mapping.targets import target
from grantline.reading.parts import PartFile, PartSet

LAYOUT = "file-connector"
RECORD_TYPE = "recordtype"
SECTIONS = {
    "users": "user",
    "resources": "resource",
    "entitlements": "entitlement",
    "directusergrants": "directusergrant",
    "grantinheritancemappings": "grantinheritancemapping",
    "externalgrants": "externalgrant",
}
"""Sheet → record type, both folded."""
USED = ("user", "resource", "entitlement", "directusergrant", "grantinheritancemapping")
FIELDS = (
    *("id", "displayname", "email", "status", "type", "lastlogin", "login", "employeeid"),
    *("resourcetype", "resourceid", "entitlementslug", "description", "principalid"),
    *("principalresourceid", "principalentitlementslug", "inheritedresourceid", "inheritedentitlementslug"),
    "inheritancedepth",
)
TYPES = tuple(sorted({"human": "person", "bot": "service", "machine": "service"}.items()))
USER_TARGETS = {
    "id": "account.id",
    "displayname": "account.display_name",
    "email": "account.email",
    "status": "account.status",
    "type": "account.type",
    "lastlogin": "account.last_login_at",
    "login": "account.username",
    "employeeid": "account.employee_id",
}
DEFINED = ("resource_type", "resource_id", "entitlement_slug", "display_name", "description")
GIVEN = ("principal_id", "resource_type", "resource_id", "entitlement_slug")


def folded(name: str) -> str:
    """`Entitlement Slug`, `entitlement_slug` and `ENTITLEMENT SLUG` are one name."""
    return "".join(sign for sign in name.lower() if sign not in " _-")


def is_flat(columns: Sequence[str]) -> bool:
    """Whether a header is that of the one-file CSV."""
    names = {folded(name) for name in columns}
    return RECORD_TYPE in names and "id" in names and bool(names & {"entitlementslug", "resourcetype"})


def is_workbook(sheets: Sequence[str]) -> bool:
    """Whether a workbook's sheets are the connector's."""
    names = {folded(name) for name in sheets}
    return "users" in names and "resources" in names and bool(names & {"entitlements", "directusergrants"})


@dataclass(frozen=True)
class _Section:
    """Rows of one record type: the table, and SQL of (row, one column per field of ours)."""

    table: Table
    places: Columns[str, int]
    condition: str = "true"

    def sql(self) -> str:
        """The rows with our names; fields that the file does not have are NULL."""
        cells = ", ".join(f"{self._cell(name)} AS {name}" for name in FIELDS)
        return f"(SELECT row, {cells} FROM {self.table.numbered} WHERE {self.condition})"

    def _cell(self, name: str) -> str:
        place = self.places.get(name)
        return "NULL::VARCHAR" if place is None else trimmed(f"c{place}")


def flat_parts(table: Table) -> PartSet:
    """The parts of the one-file CSV."""
    places = _places(table)
    kind = f"replace(replace(lower({trimmed(f'c{places[RECORD_TYPE]}')}), '_', ''), ' ', '')"
    sections = {name: _Section(table, places, f"{kind} = {literal(name)}") for name in SECTIONS.values()}
    return _parts(sections, table)


def sheet_parts(tables: Columns[str, Table]) -> PartSet:
    """The parts of the workbook; `tables` by the sheets' names."""
    sections = {
        SECTIONS[folded(name)]: _Section(table, _places(table))
        for name, table in tables.items()
        if folded(name) in SECTIONS
    }
    return _parts(sections, next(iter(tables.values())))


def _places(table: Table) -> dict[str, int]:
    found: dict[str, int] = {}
    for place, name in enumerate(table.columns):
        found.setdefault(folded(name), place)
    return found


def _parts(sections: Columns[str, _Section], table: Table) -> PartSet:
    found = [part for part in (_users(sections), _entitlements(sections), _grants(sections)) if part is not None]
    first = found[0]
    if first.table is not None:
        # What the reader refused is reported once, with the first part.
        own = replace(
            first.table,
            issues=table.issues,
            issue_counts=table.issue_counts,
            rejected_count=table.rejected_count,
            doubtful=None,
        )
        first = replace(first, table=own)
    notes = tuple(table.notes)
    if "externalgrant" in sections:
        notes += ("External grants, if there are any, are left out: their principals are not in the file.",)
    return PartSet((first, *found[1:]), notes=notes, layout=LAYOUT)


def _users(sections: Columns[str, _Section]) -> PartFile | None:
    section = sections.get("user")
    if section is None:
        return None
    names: dict[str, tuple[str, str, int]] = {}
    for name, goal in USER_TARGETS.items():
        if name in section.places:
            names[goal] = (section.table.columns[section.places[name]], name, section.places[name])
    for place, header in enumerate(section.table.columns):
        key = _profile_key(header)
        if key is not None and target(f"profile.{key}") is not None:
            names.setdefault(f"profile.{key}", (header, "", place))
    rules = tuple(
        ColumnRule(header, goal, map=TYPES if name == "type" else ()) for goal, (header, name, _) in names.items()
    )
    cells = ", ".join(
        f"{_lowered(place) if name == 'type' else f'c{place}'} AS c{index}"
        for index, (_, name, place) in enumerate(names.values())
    )
    rows = f"(SELECT row, {cells} FROM {section.table.numbered} WHERE {section.condition})"
    return _part("users", section.table, tuple(header for header, _, _ in names.values()), rows, Mapping(rules))


def _lowered(place: int) -> str:
    return f"lower(c{place})"


def _profile_key(header: str) -> str | None:
    """`profile.team` and `Profile: Team` both name the attribute `team`."""
    lowered = header.strip().lower()
    for start in ("profile.", "profile:"):
        if lowered.startswith(start):
            return lowered.removeprefix(start).strip() or None
    return None


RESOURCES = "(SELECT id AS resource_id, min(lower(resourcetype)) AS kind FROM {rows} WHERE id IS NOT NULL GROUP BY id)"


def _entitlements(sections: Columns[str, _Section]) -> PartFile | None:
    section, resources = sections.get("entitlement"), sections.get("resource")
    if section is None or resources is None:
        return None
    rows = (
        "(SELECT e.row, r.kind AS c0, e.resourceid AS c1, e.entitlementslug AS c2, e.displayname AS c3,"
        f" e.description AS c4 FROM {section.sql()} e LEFT JOIN {RESOURCES.format(rows=resources.sql())} r"
        " ON r.resource_id = e.resourceid)"
    )
    goals = (
        "resource.type",
        "resource.name",
        "entitlement.name",
        "entitlement.display_name",
        "entitlement.description",
    )
    rules = tuple(ColumnRule(name, goal) for name, goal in zip(DEFINED, goals, strict=True))
    return _part("entitlements", section.table, DEFINED, rows, Mapping(rules))


def _grants(sections: Columns[str, _Section]) -> PartFile | None:
    section, resources = sections.get("directusergrant"), sections.get("resource")
    if section is None or resources is None:
        return None
    given = f"SELECT row, principalid, resourceid, entitlementslug, true AS direct FROM {section.sql()}"
    inherits = sections.get("grantinheritancemapping")
    if inherits is not None:
        # UNION drops what was found before, so that circles end.
        given = (
            f"WITH RECURSIVE inherits AS (SELECT * FROM {inherits.sql()}), given AS ({given} UNION"
            " SELECT g.row, g.principalid, m.inheritedresourceid, m.inheritedentitlementslug, false FROM given g"
            " JOIN inherits m ON m.principalresourceid = g.resourceid"
            " AND m.principalentitlementslug = g.entitlementslug"
            " WHERE g.direct OR lower(m.inheritancedepth) = 'full') SELECT * FROM given"
        )
    rows = (
        "(SELECT g.row, g.principalid AS c0, r.kind AS c1, g.resourceid AS c2, g.entitlementslug AS c3"
        f" FROM ({given}) g LEFT JOIN {RESOURCES.format(rows=resources.sql())} r ON r.resource_id = g.resourceid)"
    )
    goals = ("account.id", "resource.type", "resource.name", "entitlement.name")
    rules = tuple(ColumnRule(name, goal) for name, goal in zip(GIVEN, goals, strict=True))
    return _part("grants", section.table, GIVEN, rows, Mapping(rules))


def _part(name: str, table: Table, columns: tuple[str, ...], numbered: str, mapping: Mapping) -> PartFile:
    own = replace(
        table,
        columns=columns,
        rows=f"(SELECT * EXCLUDE (row) FROM {numbered})",
        numbered=numbered,
        doubtful=None,
        issues=(),
        issue_counts={},
        rejected_count=0,
        expected_count=None,
        original=table,
        separators={},
        notes=(),
    )
    return PartFile(name, None, mapping, is_sheet=True, table=own)


def with_unknown_types(con: duckdb.DuckDBPyConnection, parts: PartSet, table: Table) -> PartSet:
    """The parts, the first of which reports the rows whose record type nobody knows."""
    first = parts.parts[0]
    if first.table is None:
        return parts
    place = _places(table)[RECORD_TYPE]
    kind = f"replace(replace(lower({trimmed(f'c{place}')}), '_', ''), ' ', '')"
    known = ", ".join(map(literal, SECTIONS.values()))
    rows = con.execute(
        f"SELECT row, c{place} FROM {table.numbered} WHERE coalesce({kind}, '') NOT IN ({known})"
        f" ORDER BY row LIMIT {KEPT_ISSUES}"
    ).fetchall()
    places = table.places([row for row, _ in rows])
    issues = tuple(
        Issue(
            "value_invalid",
            f"{table.columns[place]} holds {shown(value)!r}, which is no type of record.",
            row=row,
            line=places[row].line if row in places else None,
            column=table.columns[place],
            value=shown(value),
            remedy="Use user, resource, entitlement, direct_user_grant or grant_inheritance_mapping.",
        )
        for row, value in rows
    )
    own = replace(
        first.table,
        issues=(*first.table.issues, *issues),
        issue_counts=Counter(first.table.issue_counts) + Counter(issue.code for issue in issues),
        rejected_count=first.table.rejected_count + len(issues),
    )
    return replace(parts, parts=(replace(first, table=own), *parts.parts[1:]))


def has_rows(con: duckdb.DuckDBPyConnection, part: PartFile) -> bool:
    """Whether the part holds any row."""
    return part.table is not None and con.execute(f"SELECT 1 FROM {part.table.rows} LIMIT 1").fetchone() is not None
