"""The columns of the mapping editor: each with its samples, its target, its options and its problems.

Pure: a preview and a document in, rows out. A column that becomes two things has two rows; one that the
mapping names and the file has not stands at the end, so that nothing of a mapping is lost by editing it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from grantline.mapping.names import plain
from grantline.mapping.targets import TARGETS, target
from grantline.web.imports.column_fields import is_set, list_fields, option_fields, pair_rows
from grantline.web.imports.fields import Choices, Field, PairRow
from grantline.web.imports.words import target_label

_GROUPS = (
    ("account.", "Account"),
    ("entitlement", "Entitlement"),
    ("members", "Entitlement"),
    ("resource.", "Entitlement"),
    ("grant.", "Grant"),
)


@dataclass(frozen=True)
class ColumnProblem:
    """What is wrong with the cells of a column: in how many rows, and the first of them."""

    count: int
    message: str
    remedy: str
    severity: str
    is_of_rows: bool


@dataclass(frozen=True)
class ColumnField:
    """One column of the file, or one that the mapping names, as the editor shows it."""

    index: int
    name: str
    samples: tuple[str, ...]
    filled_share: float | None
    target: str
    reason: str
    targets: tuple[tuple[str, Choices], ...]
    is_in_file: bool = True
    rule_index: int | None = None
    beside: tuple[Field, ...] = ()
    options: tuple[Field, ...] = ()
    pairs: tuple[PairRow, ...] | None = ()
    pair_count: int = 0
    is_open: bool = False
    error: str = ""
    problems: tuple[ColumnProblem, ...] = ()


@dataclass(frozen=True)
class Slot:
    """One row of the editor: a column by its place among the names, and its rule in the document."""

    place: int
    rule_index: int | None


@dataclass(frozen=True)
class Layout:
    """The names of all columns, those of the file first, and the rows of the editor."""

    names: list[str]
    width: int
    slots: list[Slot] = field(default_factory=list)


def layout_of(file_names: Sequence[str], document: Mapping[str, Any]) -> Layout:
    """Which rows the editor has."""
    names, rules = list(file_names), list(document.get("columns") or ())
    of_name: dict[int, list[int]] = {}
    missing: list[str] = [str(item.get("column", "")) for item in document.get("where") or ()]
    for number, rule in enumerate(rules):
        place = _place(names, str(rule.get("source", "")))
        if place is None:
            place = len(names)
            names.append(str(rule.get("source", "")))
        of_name.setdefault(place, []).append(number)
    layout = Layout(names, len(file_names))
    for place in range(len(names)):
        layout.slots.extend(Slot(place, number) for number in of_name.get(place) or (None,))
    for name in missing:
        if name not in names:
            names.append(name)
    return layout


def column_of(
    index: int, slot: Slot, layout: Layout, preview: Mapping[str, Any], document: Mapping[str, Any]
) -> ColumnField:
    """The row of one slot."""
    rows = list(preview.get("columns") or ())
    row = rows[slot.place] if slot.place < layout.width else {}
    name, is_ours = layout.names[slot.place], bool(document.get("columns"))
    rule = dict(document["columns"][slot.rule_index]) if slot.rule_index is not None else {}
    shown = str(rule.get("to") or ("" if is_ours else row.get("target") or ""))
    is_in_file = slot.place < layout.width or not layout.width
    return ColumnField(
        index=index,
        name=name,
        samples=tuple(str(sample) for sample in (row.get("samples") or ())[:3] if sample is not None),
        filled_share=row.get("filled_share"),
        target=shown,
        reason=_reason(row) if is_in_file else "This column is not in the file. Choose another, or leave it out.",
        targets=_targets(name, shown),
        is_in_file=is_in_file,
        rule_index=slot.rule_index,
        beside=list_fields(index, rule or {"to": shown}, row),
        options=option_fields(index, rule, ""),
        pairs=pair_rows(index, rule) if rule else (),
        pair_count=len(rule.get("map") or ()),
        is_open=is_set(rule),
        problems=_problems(preview, name),
    )


def same_name(source: object, name: str) -> bool:
    """Whether a rule is about a column; compared as the mapping does."""
    return plain(str(source or "")) == plain(name)


def _place(names: Sequence[str], source: str) -> int | None:
    return next((place for place, name in enumerate(names) if same_name(source, name)), None)


def _reason(row: Mapping[str, Any]) -> str:
    """Why a target was proposed, with the target in the words that the choices have."""
    name, reason = str(row.get("target") or ""), str(row.get("reason") or "")
    return reason.replace(f" {name}.", f" “{target_label(name)}”.") if name else reason


def _problems(preview: Mapping[str, Any], name: str) -> tuple[ColumnProblem, ...]:
    return tuple(
        ColumnProblem(
            count=int(row["count"]),
            message=str(row["message"]),
            remedy=str(row.get("remedy") or ""),
            severity=str(row["severity"]),
            is_of_rows=row.get("row") is not None,
        )
        for row in preview.get("column_issues") or ()
        if row.get("column") == name
    )


def _targets(name: str, chosen: str) -> tuple[tuple[str, Choices], ...]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for known in TARGETS.values():
        groups.setdefault(_group_of(known.name), []).append((known.name, known.label))
    own = [f"profile.{name}"] if target(f"profile.{name}") else []
    if chosen.startswith("profile.") and chosen not in own:
        own.append(chosen)
    if own:
        groups["Attribute of the account"] = [(one, target_label(one)) for one in own]
    return tuple((group, tuple(pairs)) for group, pairs in groups.items())


def _group_of(name: str) -> str:
    return next((group for start, group in _GROUPS if name.startswith(start)), "Row")
