"""A mapping and a header become a plan: which cell of a row fills what.

In: the mapping document and the file's columns. Out: one frozen `Plan` of `Cell`s, each at a position
of the row or a constant. A column that is mapped must be in the header exactly once (`HeaderMissing`
with the near match, `HeaderDuplicate`); compared after trimming, in NFC, letter case as written.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from grantline.errors import HeaderDuplicate, HeaderMissing, MappingInvalid
from grantline.mapping.document import ColumnRule, Condition, Mapping
from grantline.mapping.names import folded, plain, resource_type_of
from grantline.mapping.records import ACCOUNT_FIELDS, ENTITLEMENT_FIELDS, ENTITLEMENT_KEY
from grantline.mapping.sql import literal, literals, trimmed
from grantline.mapping.targets import PROFILE, Target, target

IDENTITY = ("resource.type", "resource.name", "entitlement.name")
"""Targets of the three parts of an entitlement's identity, in the order of `ENTITLEMENT_KEY`."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One mapped cell of each row; `column` is None for a constant."""

    index: int
    rule: ColumnRule
    target: Target
    column: int | None
    header: str

    @property
    def raw(self) -> str:
        """SQL of the cell as it is in the file."""
        return literal(self.header) if self.column is None else f"c{self.column}"

    @property
    def trimmed(self) -> str:
        """Name of the trimmed cell, after `levels`."""
        return f"b{self.index}"

    @property
    def text(self) -> str:
        """Name of the cell after its words for *empty* and its replacements, after `levels`."""
        return f"v{self.index}"

    @property
    def value(self) -> str:
        """Name of the typed value, after `levels`; NULL where empty or not valid."""
        return f"t{self.index}"


@dataclass(frozen=True)
class Plan:
    """How rows of one file become records."""

    mapping: Mapping
    columns: tuple[str, ...]
    cells: tuple[Cell, ...]
    conditions: tuple[tuple[int, Condition], ...]
    by_members: bool = False
    """Whether rows are entitlements whose members were taken apart (`members`): one without an account
    defines an entitlement."""

    def find(self, name: str) -> Cell | None:
        """The cell of the target `name`."""
        return next((cell for cell in self.cells if cell.target.name == name), None)

    @property
    def id(self) -> Cell | None:
        """The account's key; None where the file only defines entitlements."""
        return self.find("account.id")

    @property
    def kind(self) -> Cell | None:
        """The cell that says whether a row defines or gives."""
        return self.find("row.kind")

    @property
    def op(self) -> Cell | None:
        """The cell that says whether a row removes."""
        return self.find("row.op")

    @property
    def attributes(self) -> tuple[Cell, ...]:
        """Cells of `ACCOUNT_FIELDS`, then of the profile, by name."""
        known = [cell for name in ACCOUNT_FIELDS if (cell := self.find(f"account.{name}"))]
        own = [cell for cell in self.cells if cell.target.name.startswith(PROFILE)]
        return (*known, *sorted(own, key=lambda cell: cell.target.name))

    @property
    def lists(self) -> tuple[Cell, ...]:
        """Cells that hold lists of entitlements."""
        return tuple(cell for cell in self.cells if cell.target.kind == "list")

    @property
    def identity(self) -> tuple[Cell, ...]:
        """Cells and constants of the entitlement's identity; empty where only lists give any."""
        found = tuple(cell for name in IDENTITY if (cell := self.find(name)))
        return found if any(cell.target.name != "resource.type" for cell in found) else ()

    @property
    def details(self) -> tuple[Cell, ...]:
        """Cells of `ENTITLEMENT_FIELDS`."""
        return tuple(cell for name in ENTITLEMENT_FIELDS if (cell := self.find(f"entitlement.{name}")))

    @property
    def dates(self) -> tuple[Cell, ...]:
        """Cells of the grant's dates."""
        return tuple(cell for cell in self.cells if cell.target.name.startswith("grant."))

    @property
    def worded(self) -> tuple[Cell, ...]:
        """Date cells of the account that have words for *empty*: the word is kept beside the value."""
        taken = {cell.target.name for cell in self.cells}
        return tuple(
            cell
            for cell in self.attributes
            if cell.rule.nulls
            and (cell.target.kind == "date" or cell.rule.date or cell.rule.zone)
            and f"{PROFILE}{cell.target.field}_word" not in taken
        )

    @property
    def per_grant(self) -> bool:
        """Whether a row is a grant, so that an account's cells repeat, or are blank after the first."""
        return any(cell.column is not None for cell in self.identity)

    @property
    def identity_columns(self) -> tuple[str, ...]:
        """Columns of the file that name the entitlement, each once."""
        return tuple(dict.fromkeys(cell.raw for cell in self.identity if cell.column is not None))

    def identity_sql(self) -> dict[str, str]:
        """SQL of the three parts; a part that the mapping does not name takes the text of the other."""
        named = {cell.target.name: cell.value for cell in self.identity}
        name = named.get("entitlement.name") or named.get("resource.name") or "NULL"
        first = next((cell for cell in self.identity if cell.column is not None), None)
        guess = literal(resource_type_of(first.header) if first else "entitlement")
        parts = (
            named.get("resource.type") or guess,
            named.get("resource.name") or name,
            named.get("entitlement.name") or name,
        )
        return dict(zip(ENTITLEMENT_KEY, parts, strict=True))

    def list_type(self, cell: Cell) -> str:
        """The resource type of a list column's entitlements."""
        constant = dict(self.mapping.constants).get("resource.type")
        return cell.rule.resource_type or constant or resource_type_of(cell.header)

    def where_sql(self) -> str | None:
        """The rows to read; None for all."""
        tests = [_test(f"c{column}", condition) for column, condition in self.conditions]
        return " AND ".join(tests) if tests else None

    def blank_sql(self) -> str:
        """Whether the whole row is blank, mapped or not."""
        empty = (f"{trimmed(f'c{column}')} IS NULL" for column in range(len(self.columns)))
        return f"({' AND '.join(empty)})"


def make_plan(mapping: Mapping, columns: tuple[str, ...], *, by_members: bool = False) -> Plan:
    """The plan for a file with `columns`.

    Raises: `HeaderMissing` where a mapped column is absent, `HeaderDuplicate` where its name is there
    twice, `MappingInvalid` where targets are mapped that would have no effect.
    """
    names = tuple(plain(column) for column in columns)
    cells = [
        Cell(index, rule, _target(rule.to), _position(rule.source, names), rule.source)
        for index, rule in enumerate(mapping.columns)
    ]
    for name, text in mapping.constants:
        rule = ColumnRule(source=text, to=name)
        cells.append(Cell(len(cells), rule, _target(name), None, text))
    conditions = tuple((_position(item.column, names), item) for item in mapping.where)
    plan = Plan(mapping, names, tuple(cells), conditions, by_members)
    _refuse_without_effect(plan)
    return plan


def _target(name: str) -> Target:
    found = target(name)
    if found is None:
        raise MappingInvalid(f"{name!r} is not a target.")
    return found


def place_of(source: str, columns: Iterable[str]) -> int:
    """The place of a column in the header. Raises: `HeaderMissing`, `HeaderDuplicate`."""
    return _position(source, tuple(plain(column) for column in columns))


def _position(source: str, names: tuple[str, ...]) -> int:
    wanted = plain(source)
    found = [index for index, name in enumerate(names) if name == wanted]
    if len(found) > 1:
        places = " and ".join(str(index + 1) for index in found)
        raise HeaderDuplicate(f"The column {wanted!r} is there twice (columns {places}).", column=wanted)
    if not found:
        raise _missing(wanted, names)
    return found[0]


def _missing(wanted: str, names: tuple[str, ...]) -> HeaderMissing:
    by_fold = {folded(name): name for name in names}
    near = difflib.get_close_matches(folded(wanted), by_fold, n=1, cutoff=0.75)
    message = f"The column {wanted!r} is not in the header"
    if near:
        match = by_fold[near[0]]
        message += f" (found near match {match!r})"
        remedy = f"Name the column {wanted!r} in the file, or map {match!r} instead."
    else:
        remedy = f"Give the file this column, or change the mapping. The header has: {_listed(names)}."
    return HeaderMissing(message + ".", remedy=remedy, column=wanted)


def _listed(names: Iterable[str]) -> str:
    shown = [repr(name[:60]) for name in names]
    return ", ".join(shown[:20]) + (", …" if len(shown) > 20 else "")


def _refuse_without_effect(plan: Plan) -> None:
    entitled = bool(plan.identity or plan.lists)
    for cell in plan.cells:
        name = cell.target.name
        if name.startswith("entitlement.") and not plan.identity:
            raise MappingInvalid(f"{name} is mapped, but nothing is mapped to entitlement.name.")
        if name in ("grant.granted_at", "grant.expires_at", "resource.type", "row.kind") and not entitled:
            raise MappingInvalid(f"{name} is mapped, but no column is mapped to an entitlement.")
        if name == "resource.type" and cell.column is not None and not plan.identity:
            raise MappingInvalid("resource.type is mapped, but nothing is mapped to entitlement.name.")
    if plan.lists and plan.id is None:
        raise MappingInvalid("A column is mapped to entitlements, but none to account.id.")


def _test(cell: str, condition: Condition) -> str:
    text = trimmed(cell)
    match condition.operator:
        case "empty":
            return f"{text} IS NULL"
        case "filled":
            return f"{text} IS NOT NULL"
        case "equals" | "in":
            return f"coalesce({text} IN ({literals(condition.values)}), false)"
        case _:
            return f"NOT coalesce({text} IN ({literals(condition.values)}), false)"
