"""Proposes a mapping from a header alone.

In: the columns of a file. Out: a `Proposal`: the mapping, the layout's name, and for each column what it
becomes and why, in a sentence for the page. Layouts of real products come first, then the known names.
A header without a column that identifies accounts is refused (`HeaderMissing`), never guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from grantline.errors import HeaderMissing
from grantline.mapping.document import ColumnRule, Mapping
from grantline.mapping.layouts import Layout, recognize
from grantline.mapping.names import (
    ENTITLEMENT_COLUMNS,
    ENTITLEMENT_COLUMNS_BY_ID,
    KEY_NAMES,
    LIST_SEPARATORS,
    NAMES,
    PROFILE_NAMES,
    folded,
    resource_type_of,
)

GRANT_SHAPE, ACCOUNT_SHAPE, ENTITLEMENT_SHAPE = "grants", "accounts", "entitlements"
"""Layout names of the three common shapes."""


@dataclass(frozen=True)
class Proposal:
    """A mapping for a header; `reasons` has (column, target or None, sentence) for each column."""

    mapping: Mapping
    layout: str
    reasons: tuple[tuple[str, str | None, str], ...]


def propose(columns: Sequence[str], *, in_set: bool = False) -> Proposal:
    """The mapping for a file with `columns`.

    `in_set` says that it is one of several files or sheets that belong together: then it may define
    entitlements under one name (`Group ID`), or refer to accounts by their e-mail addresses.

    Raises: `HeaderMissing` where no column is known to identify accounts or define entitlements.
    """
    layout = recognize(columns)
    if layout is not None:
        return _of_layout(layout, columns)
    key = _key(columns) or (_reference(columns) if in_set else None)
    if in_set and key is None and _defines(columns):
        return _definitions(columns)
    rules = _by_name(columns, key)
    named = {rule.to for rule in rules}
    if key is None and not {"resource.name", "entitlement.name"} <= named:
        raise _no_key(columns)
    if key is None:
        rules = [rule for rule in rules if rule.to.startswith(("resource.", "entitlement.", "row."))]
        shape = ENTITLEMENT_SHAPE
    else:
        shape = GRANT_SHAPE if named & {"resource.name", "entitlement.name"} else ACCOUNT_SHAPE
    constants: tuple[tuple[str, str], ...] = ()
    single = next((rule for rule in rules if rule.to == "entitlement.name"), None)
    if single is not None and "resource.type" not in named:
        constants = (("resource.type", resource_type_of(single.source)),)
    return Proposal(Mapping(tuple(rules), constants=constants), shape, _reasons(columns, rules, None))


def known_header(columns: Sequence[str], *, in_set: bool = False) -> bool:
    """Whether `columns` are a header that `propose` can map."""
    try:
        propose(columns, in_set=in_set)
    except HeaderMissing:
        return False
    return True


def _of_layout(layout: Layout, columns: Sequence[str]) -> Proposal:
    """The layout's rules for the columns that are there, spelled as in the file."""
    spelled: dict[str, str] = {}
    for column in columns:
        spelled.setdefault(folded(column), column)
    rules: list[ColumnRule] = []
    for rule in layout.columns:
        source = spelled.get(folded(rule.source))
        if source is not None and (rule.to == "entitlements" or rule.to not in {item.to for item in rules}):
            rules.append(_respelled(rule, source))
    where = tuple(
        type(condition)(spelled[folded(condition.column)], condition.operator, condition.values)
        for condition in layout.where
        if folded(condition.column) in spelled
    )
    mapping = Mapping(tuple(rules), constants=layout.constants, where=where)
    return Proposal(mapping, layout.name, _reasons(columns, rules, layout))


def _respelled(rule: ColumnRule, source: str) -> ColumnRule:
    options = {name: getattr(rule, name) for name in ColumnRule.__dataclass_fields__ if name != "source"}
    return ColumnRule(source, **options)


def _key(columns: Sequence[str]) -> str | None:
    """The column that identifies accounts: the first of the known names that is there."""
    by_name: dict[str, str] = {}
    for column in columns:
        by_name.setdefault(folded(column), column)
    return next((by_name[name] for name in KEY_NAMES if name in by_name), None)


def _reference(columns: Sequence[str]) -> str | None:
    """The column by which a file of grants refers to accounts, where it is no key of theirs."""
    targets = {column: NAMES.get(folded(column)) for column in columns}
    if not any(
        folded(column) in ENTITLEMENT_COLUMNS or target == "entitlement.name" for column, target in targets.items()
    ):
        return None
    by_target = {target: column for column, target in reversed(targets.items())}
    return by_target.get("account.email") or by_target.get("account.username")


def _defines(columns: Sequence[str]) -> bool:
    """Whether a header without a key is that of a list of groups or roles, and nothing about accounts."""
    targets = [NAMES.get(folded(column)) or "" for column in columns]
    about = {target for target in targets if target.startswith("account.")} - {
        "account.display_name",
        "account.created_at",
    }
    about -= {"account.owner_email", "account.status"}
    names = {folded(column) for column in columns}
    return (
        not about
        and bool(names & set(ENTITLEMENT_COLUMNS))
        and not {"resource.name", "entitlement.name"} <= set(targets)
    )


def _definitions(columns: Sequence[str]) -> Proposal:
    """A list of groups or roles: its id (or name) is the entitlement, its other name the one shown."""
    by_name = {folded(column): column for column in reversed(columns)}
    source = next(by_name[name] for name in ENTITLEMENT_COLUMNS_BY_ID if name in by_name)
    rules = [ColumnRule(source, "entitlement.name")]
    for column in columns:
        name = folded(column)
        target = None
        if name.endswith("description"):
            target = "entitlement.description"
        elif NAMES.get(name) == "account.display_name" or name in ENTITLEMENT_COLUMNS:
            target = "entitlement.display_name"
        if column != source and target is not None and target not in {rule.to for rule in rules}:
            rules.append(ColumnRule(column, target))
    constants = (("resource.type", resource_type_of(source)),)
    return Proposal(Mapping(tuple(rules), constants=constants), ENTITLEMENT_SHAPE, _reasons(columns, rules, None))


def _by_name(columns: Sequence[str], key: str | None) -> list[ColumnRule]:
    rules: list[ColumnRule] = [ColumnRule(key, "account.id")] if key is not None else []
    taken = {"account.id"}
    names = {folded(column) for column in columns}
    whole = any(NAMES.get(name) in ("entitlement.name", "resource.name") for name in names)
    single = next((name for name in ENTITLEMENT_COLUMNS if name in names), None) if not whole else None
    for column in columns:
        name = folded(column)
        target = NAMES.get(name) or PROFILE_NAMES.get(name)
        if name == single and key is not None and column != key:
            target = "entitlement.name"
        if target == "row.kind" and not (whole or single):
            target = "account.type"
        if target is not None and target.startswith("grant.") and not (whole or single):
            target = None
        if column == key or target is None or (target in taken and not _same_again(rules, column, target)):
            continue
        taken.add(target)
        rules.append(_rule(column, target))
    return rules


def _same_again(rules: list[ColumnRule], column: str, target: str) -> bool:
    """Whether the column must stay though its target is taken: lists, and a header given twice."""
    return target == "entitlements" or any(rule.to == target and rule.source == column for rule in rules)


def _rule(column: str, target: str) -> ColumnRule:
    if target != "entitlements":
        return ColumnRule(column, target)
    separator = LIST_SEPARATORS.get(folded(column), ",")
    return ColumnRule(column, target, resource_type=resource_type_of(column), split=separator)


def _reasons(
    columns: Sequence[str], rules: Sequence[ColumnRule], layout: Layout | None
) -> tuple[tuple[str, str | None, str], ...]:
    reasons: list[tuple[str, str | None, str]] = []
    for column in columns:
        found = [rule for rule in rules if rule.source == column]
        for rule in found:
            why = f"Known column of {layout.label}." if layout else f"Known name for {rule.to}."
            if rule.split:
                why += f" A list, separated by {rule.split!r}."
            reasons.append((column, rule.to, why))
        if not found:
            reasons.append((column, None, _left_out(column, rules)))
    return tuple(reasons)


def _left_out(column: str, rules: Sequence[ColumnRule]) -> str:
    """Why a column is left out, and what can be done about it."""
    target = NAMES.get(folded(column))
    other = next((rule.source for rule in rules if target is not None and rule.to == target), None)
    if other is not None:
        return f"Left out: {other!r} has its target already. Choose another, or keep it as an attribute."
    return "Not recognized. Choose what it becomes, such as an attribute of the account, or leave it out."


def _no_key(columns: Sequence[str]) -> HeaderMissing:
    shown = ", ".join(repr(column[:60]) for column in list(columns)[:20]) or "no columns"
    hint = ""
    if any("@" in column or re.search(r"\d{2}", column) for column in columns):
        hint = " The first line looks like data: if the file has no header, give file.names in a mapping."
    if len(columns) == 1:
        hint += _other_separator(columns[0])
    return HeaderMissing(
        f"No column is known to identify accounts, such as 'User ID'. The header has: {shown}.{hint}",
        remedy="Name the key column 'User ID', or map it: {source: <column>, to: account.id}.",
        column="User ID",
    )


def _other_separator(header: str) -> str:
    """What to do about a header that is one column only because its cells are separated by something else."""
    if _key(re.split(r"\s{2,}", header)) and re.search(r"\S\s{2,}\S", header):
        return " It looks like columns of a fixed width: export the data with a delimiter between the columns."
    for sign in dict.fromkeys(character for character in header if not (character.isalnum() or character in " _-.")):
        if len(cells := header.split(sign)) > 1 and _key(cells):
            return f" With the delimiter {sign!r} it would have {len(cells)}: set file.delimiter to it in a mapping."
    return ""
