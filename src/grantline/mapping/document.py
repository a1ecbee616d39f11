"""The mapping document, checked and frozen.

In: YAML or JSON text, or plain data. Out: one `Mapping`. An unknown option or target, a wrong type, or
an option that would have no effect where it stands is refused (`MappingInvalid`) with its place and
what to write instead; nothing is ignored. `canonical` gives the same text for the same meaning, so that
a mapping can be compared by its hash. The `file` section is kept as it is: `formats` checks it.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from collections.abc import Mapping as Document
from dataclasses import dataclass, field
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo, available_timezones

import duckdb

from grantline.errors import HeaderDuplicate, MappingInvalid
from grantline.mapping.dates import KINDS as DATE_KINDS
from grantline.mapping.dates import format_problem
from grantline.mapping.notation import read_text
from grantline.mapping.targets import PROFILE, TARGETS, Target, target
from grantline.mapping.words import STATUSES

Mode = Literal["full", "delta"]
Operator = Literal["empty", "filled", "equals", "differs", "in", "not_in"]

OPTIONS = ("version", "file", "mode", "columns", "constants", "where", "sources", "ready")
SOURCE_OPTIONS = ("match", "sheet", "file", "columns", "constants", "where")
COLUMN_OPTIONS = (
    "source",
    "to",
    "resource_type",
    "split",
    "parts",
    "date",
    "zone",
    "serials",
    "pattern",
    "nulls",
    "map",
    "case",
)
WHERE_OPTIONS = ("column", "is", "equals", "differs", "in", "not_in")
COLUMNS_LIMIT = 500
SOURCES_LIMIT = 100
MEMBERS = "members"
"""Target of a list of accounts in one cell."""
WORDS_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """One column of the file and what it becomes.

    `split` is the separator of a list in one cell; `parts` the separator inside one value of it
    (`LON:approver` is the entitlement `approver` of the resource `LON`). `date` is a strptime pattern
    or one of `serial`, `epoch`, `epoch_ms`, `filetime`; None recognizes the usual spellings. `zone` is
    the zone of times that state none, `serials` says that plain numbers among the dates are a spreadsheet's
    day numbers. `pattern` is a regular expression that a whole cell must match. `nulls` are words that mean
    *empty*, `map` replaces words. Both compare exactly. `case` *sensitive* lets ids differ only by letter case.
    """

    source: str
    to: str
    resource_type: str | None = None
    split: str | None = None
    parts: str | None = None
    date: str | None = None
    zone: str | None = None
    serials: bool = False
    pattern: str | None = None
    nulls: tuple[str, ...] = ()
    map: tuple[tuple[str, str], ...] = ()
    case: Literal["sensitive"] | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """A row is read only where this holds for `column`; cells compare exactly, after trimming."""

    column: str
    operator: Operator
    values: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceRule:
    """One of several files or sheets of an import: which, and what its columns become.

    `match` is a pattern of file names (of a folder, a ZIP), `sheet` the name of a sheet; exactly one is
    given. Without `columns` the header is recognized.
    """

    match: str | None = None
    sheet: str | None = None
    file: dict[str, Any] = field(default_factory=dict)
    columns: tuple[ColumnRule, ...] = ()
    constants: tuple[tuple[str, str], ...] = ()
    where: tuple[Condition, ...] = ()


@dataclass(frozen=True)
class Mapping:
    """A whole mapping document. Either `columns` or `sources` say what columns become, or neither."""

    columns: tuple[ColumnRule, ...]
    version: int = 1
    file: dict[str, Any] = field(default_factory=dict)
    mode: Mode = "full"
    constants: tuple[tuple[str, str], ...] = ()
    where: tuple[Condition, ...] = ()
    sources: tuple[SourceRule, ...] = ()
    ready: str | None = None
    """Name of the file that must be in a folder before it is read (`_SUCCESS`, `_MANIFEST.json`)."""

    def of_source(self, rule: SourceRule) -> Mapping:
        """The mapping of one of the sources, as if it were alone."""
        return Mapping(
            rule.columns,
            file=self.file | rule.file | ({"sheet": rule.sheet} if rule.sheet is not None else {}),
            mode=self.mode,
            constants=rule.constants,
            where=rule.where,
        )

    def to_document(self) -> dict[str, Any]:
        """The document as plain data, options at their defaults left out."""
        document: dict[str, Any] = {"version": self.version}
        if self.file:
            document["file"] = self.file
        if self.mode != "full":
            document["mode"] = self.mode
        if self.ready is not None:
            document["ready"] = self.ready
        if self.sources:
            document["sources"] = [_source_document(rule) for rule in self.sources]
            return document
        return document | _part_document(self)

    def canonical(self) -> str:
        """The document as one line of JSON with sorted keys: equal mappings give equal text."""
        return json.dumps(self.to_document(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def load(document: str | Document[str, Any]) -> Mapping:
    """The mapping that `document` (YAML text, JSON text or plain data) describes.

    Raises: `MappingInvalid` with the place of the first fault; `HeaderDuplicate` where two columns have
    the same target.
    """
    data = read_text(document) if isinstance(document, str) else document
    if not isinstance(data, dict):
        raise MappingInvalid("The mapping must be a group of options that starts with 'version: 1'.")
    _known(data, OPTIONS, "")
    if data.get("version", 1) not in (1, "1") or isinstance(data.get("version"), bool):
        raise MappingInvalid(f"version: {data['version']!r} is not supported; write 'version: 1'.")
    mode = data.get("mode", "full")
    if mode not in ("full", "delta"):
        raise MappingInvalid(f"mode: {mode!r} is not a mode; it is 'full' or 'delta'.")
    mapping = Mapping(
        columns=_columns(data.get("columns")),
        file=_file(data.get("file")),
        mode=cast(Mode, mode),
        constants=_constants(data.get("constants")),
        where=_where(data.get("where")),
        sources=_sources(data.get("sources")),
        ready=_optional_text(data.get("ready"), "ready"),
    )
    if mapping.sources:
        for option in ("columns", "constants", "where"):
            if data.get(option):
                raise MappingInvalid(f"{option}: there are sources, so each of them says what its {option} are.")
        for index, rule in enumerate(mapping.sources):
            _check_targets(mapping.of_source(rule), f"sources[{index}].")
    else:
        _check_targets(mapping)
    return mapping


def _known(data: Document[Any, Any], options: Iterable[str], place: str) -> None:
    known = tuple(options)
    for name in data:
        if name in known:
            continue
        near = difflib.get_close_matches(str(name), known, n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; the options are {', '.join(known)}."
        raise MappingInvalid(f"{place}{name}: unknown option{hint}")


def _file(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MappingInvalid("file: must be a group of options, like {delimiter: ';'}.")
    return dict(value)


def _sources(value: Any) -> tuple[SourceRule, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not value or len(value) > SOURCES_LIMIT:
        raise MappingInvalid("sources: must be a list, like [{sheet: Users, columns: [...]}].")
    return tuple(_source(item, f"sources[{index}]") for index, item in enumerate(value))


def _source(item: Any, place: str) -> SourceRule:
    if not isinstance(item, dict):
        raise MappingInvalid(f"{place}: must be a group like {{sheet: Users, columns: [...]}}.")
    _known(item, SOURCE_OPTIONS, f"{place}.")
    if (item.get("match") is None) == (item.get("sheet") is None):
        raise MappingInvalid(f"{place}: needs either 'match' (a pattern of file names) or 'sheet'.")
    return SourceRule(
        match=_optional_text(item.get("match"), f"{place}.match"),
        sheet=_optional_text(item.get("sheet"), f"{place}.sheet"),
        file=_file(item.get("file")),
        columns=_columns(item.get("columns"), f"{place}."),
        constants=_constants(item.get("constants")),
        where=_where(item.get("where")),
    )


def _columns(value: Any, before: str = "") -> tuple[ColumnRule, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise MappingInvalid(f"{before}columns: must be a list, like [{{source: User ID, to: account.id}}].")
    if len(value) > COLUMNS_LIMIT:
        raise MappingInvalid(f"{before}columns: has {len(value)} entries; the limit is {COLUMNS_LIMIT}.")
    return tuple(_column(item, f"{before}columns[{index}]") for index, item in enumerate(value))


def _column(item: Any, place: str) -> ColumnRule:
    if not isinstance(item, dict):
        raise MappingInvalid(f"{place}: must be a group like {{source: User ID, to: account.id}}.")
    _known(item, COLUMN_OPTIONS, f"{place}.")
    for needed in ("source", "to"):
        if item.get(needed) is None:
            raise MappingInvalid(f"{place}: '{needed}' is missing.")
    found = _target(item["to"], f"{place}.to")
    rule = ColumnRule(
        source=_text(item["source"], f"{place}.source"),
        to=found.name,
        resource_type=_optional_text(item.get("resource_type"), f"{place}.resource_type"),
        split=_separator(item.get("split"), f"{place}.split"),
        parts=_separator(item.get("parts"), f"{place}.parts"),
        date=_date(item.get("date"), f"{place}.date"),
        zone=_zone(item.get("zone"), f"{place}.zone"),
        serials=_boolean(item.get("serials"), f"{place}.serials"),
        pattern=_pattern(item.get("pattern"), f"{place}.pattern"),
        nulls=_words(item.get("nulls"), f"{place}.nulls"),
        map=_replacements(item.get("map"), f"{place}.map"),
        case=_case(item.get("case"), f"{place}.case"),
    )
    _check_fit(rule, found, place)
    return rule


def _target(value: Any, place: str) -> Target:
    name = _text(value, place)
    found = target(name)
    if found is None:
        near = difflib.get_close_matches(name, TARGETS, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"the targets are {', '.join(TARGETS)}, profile.<name>."
        raise MappingInvalid(f"{place}: {name!r} is not a target; {hint}")
    return found


def fits(option: str, to: str) -> bool:
    """Whether a column whose target is `to` can use an option; any other option is refused there."""
    found = target(to)
    if option in ("resource_type", "parts"):
        return to == "entitlements"
    if option == "split":
        return to in ("entitlements", MEMBERS)
    if option in ("date", "zone", "serials"):
        return to.startswith(PROFILE) or (found is not None and found.kind == "date")
    return to in ("account.id", MEMBERS) if option == "case" else True


def may_be_constant(to: str) -> bool:
    """Whether a target may have the same value in every row."""
    found = target(to)
    return (
        found is not None and found.kind not in ("list", "rows") and to != "account.id" and not to.startswith("grant.")
    )


def _check_fit(rule: ColumnRule, found: Target, place: str) -> None:
    """Refuses options that the column's target would leave without effect."""
    for options, words in (
        (("resource_type", "split", "parts"), "'to: entitlements'"),
        (("date", "zone"), "a date or a profile target"),
        (("case",), "'to: account.id'"),
    ):
        for option in options:
            if getattr(rule, option) is not None and not fits(option, rule.to):
                raise MappingInvalid(f"{place}.{option}: only works with {words}.")
    is_date = found.kind == "date" or rule.date is not None or rule.zone is not None
    if rule.serials and (not is_date or rule.date in DATE_KINDS):
        raise MappingInvalid(f"{place}.serials: only works with dates that are not numbers already.")
    if found.kind == "status":
        for _, word in rule.map:
            if word.lower() not in STATUSES:
                raise MappingInvalid(f"{place}.map: {word!r} is not a status; use enabled, disabled or deleted.")


def _check_targets(mapping: Mapping, before: str = "") -> None:
    """Refuses what two places of the document say about the same target, and a missing key."""
    places: dict[str, ColumnRule] = {}
    for rule in mapping.columns:
        earlier = places.setdefault(rule.to, rule)
        if earlier is not rule and rule.to != "entitlements":
            raise HeaderDuplicate(
                f"The columns {earlier.source!r} and {rule.source!r} are both mapped to {rule.to}.",
                remedy="Map only one of them to this target.",
                column=rule.source,
            )
    named = set(places) | {name for name, _ in mapping.constants}
    for name, _ in mapping.constants:
        if name in places:
            raise MappingInvalid(f"constants.{name}: a column is mapped to this target too; keep one of them.")
    if MEMBERS in places and "account.id" in places:
        raise MappingInvalid(f"{before}columns: members and account.id both say who has the entitlement; keep one.")
    if mapping.columns and not named & {"account.id", MEMBERS, "resource.name", "entitlement.name"}:
        raise MappingInvalid(
            f"{before}columns: no column is mapped to account.id.",
            remedy="Add {source: <the column with the account's id>, to: account.id}.",
        )
    if "row.op" in places and mapping.mode != "delta":
        raise MappingInvalid("mode: a column is mapped to row.op, which only works with 'mode: delta'.")


def _constants(value: Any) -> tuple[tuple[str, str], ...]:
    if value is None:
        return ()
    if not isinstance(value, dict):
        raise MappingInvalid("constants: must be a group, like {resource.type: role}.")
    found = []
    for name, text in sorted(value.items()):
        place = f"constants.{name}"
        kind = _target(name, place)
        if kind.name == "account.id":
            raise MappingInvalid(f"{place}: an account's id must come from a column.")
        if not may_be_constant(kind.name):
            raise MappingInvalid(f"{place}: this target cannot be a constant.")
        found.append((kind.name, _text(text, place)))
    return tuple(found)


def _where(value: Any) -> tuple[Condition, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise MappingInvalid("where: must be a list, like [{column: DELETED_ON, is: empty}].")
    return tuple(_condition(item, f"where[{index}]") for index, item in enumerate(value))


def _condition(item: Any, place: str) -> Condition:
    if not isinstance(item, dict):
        raise MappingInvalid(f"{place}: must be a group like {{column: DELETED_ON, is: empty}}.")
    _known(item, WHERE_OPTIONS, f"{place}.")
    tests = [name for name in WHERE_OPTIONS[1:] if item.get(name) is not None]
    if item.get("column") is None or len(tests) != 1:
        raise MappingInvalid(f"{place}: needs 'column' and one of {', '.join(WHERE_OPTIONS[1:])}.")
    column, test = _text(item["column"], f"{place}.column"), tests[0]
    if test == "is":
        word = {"empty": "empty", "filled": "filled", "not_empty": "filled", "not empty": "filled"}.get(str(item["is"]))
        if word is None:
            raise MappingInvalid(f"{place}.is: must be 'empty' or 'filled', not {item['is']!r}.")
        return Condition(column, cast(Operator, word))
    if test in ("equals", "differs"):
        return Condition(column, cast(Operator, test), (_text(item[test], f"{place}.{test}"),))
    return Condition(column, cast(Operator, test), _words(item[test], f"{place}.{test}"))


def _text(value: Any, place: str) -> str:
    """Texts, and the numbers and booleans that YAML and JSON make of texts."""
    if isinstance(value, bool):
        value = str(value).lower()
    elif isinstance(value, int):
        value = str(value)
    if not isinstance(value, str) or not value:
        raise MappingInvalid(f"{place}: must be a text, not {value!r}.")
    if "\0" in value or len(value) > 1_000:
        raise MappingInvalid(f"{place}: the text is too long or holds a NUL character.")
    return value


def _optional_text(value: Any, place: str) -> str | None:
    return None if value is None else _text(value, place)


def _separator(value: Any, place: str) -> str | None:
    if value is None:
        return None
    text = _text(value, place)
    if len(text) > 10 or text == "\\":
        raise MappingInvalid(f"{place}: must be 1 to 10 characters and not a backslash, not {text!r}.")
    return text


def _words(value: Any, place: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, (list, tuple)) or len(value) > WORDS_LIMIT:
        raise MappingInvalid(f"{place}: must be a list of texts, like ['N/A', never].")
    return tuple(_text(item, f"{place}[{index}]") for index, item in enumerate(value))


def _replacements(value: Any, place: str) -> tuple[tuple[str, str], ...]:
    if value is None:
        return ()
    if not isinstance(value, dict) or not value or len(value) > WORDS_LIMIT:
        raise MappingInvalid(f"{place}: must be a group of words, like {{A: enabled, T: disabled}}.")
    pairs = ((_text(old, place), _text(new, f"{place}.{old}")) for old, new in value.items())
    return tuple(sorted(pairs))


def _date(value: Any, place: str) -> str | None:
    if value is None or value == "auto":
        return None
    text = _text(value, place)
    problem = None if text in DATE_KINDS else format_problem(text)
    if problem:
        raise MappingInvalid(f"{place}: {problem}")
    return text


def _zone(value: Any, place: str) -> str | None:
    if value is None:
        return None
    text = _text(value, place)
    if text not in available_timezones():
        near = difflib.get_close_matches(text, available_timezones(), n=1)
        hint = f"did you mean {near[0]}?" if near else "use a name like Europe/Berlin or UTC."
        raise MappingInvalid(f"{place}: {text!r} is not a time zone; {hint}")
    return ZoneInfo(text).key


def _boolean(value: Any, place: str) -> bool:
    if value is None:
        return False
    if not isinstance(value, bool):
        raise MappingInvalid(f"{place}: must be true or false, not {value!r}.")
    return value


def _pattern(value: Any, place: str) -> str | None:
    """A regular expression of RE2, which takes time in proportion to the cell, whatever it says."""
    if value is None:
        return None
    text = _text(value, place)
    try:
        duckdb.execute("SELECT regexp_full_match('', ?)", [text])
    except duckdb.Error as error:
        raise MappingInvalid(f"{place}: {text!r} is not a regular expression (RE2).") from error
    return text


def _case(value: Any, place: str) -> Literal["sensitive"] | None:
    if value is None or value == "insensitive":
        return None
    if value != "sensitive":
        raise MappingInvalid(f"{place}: must be 'sensitive' or 'insensitive', not {value!r}.")
    return "sensitive"


def _part_document(part: Mapping | SourceRule) -> dict[str, Any]:
    document: dict[str, Any] = {"columns": [_column_document(rule) for rule in part.columns]}
    if part.constants:
        document["constants"] = dict(part.constants)
    if part.where:
        document["where"] = [_condition_document(condition) for condition in part.where]
    return document


def _source_document(rule: SourceRule) -> dict[str, Any]:
    document: dict[str, Any] = {"match": rule.match} if rule.match is not None else {"sheet": rule.sheet}
    if rule.file:
        document["file"] = rule.file
    return document | _part_document(rule)


def _column_document(rule: ColumnRule) -> dict[str, Any]:
    document: dict[str, Any] = {"source": rule.source, "to": rule.to}
    for option in ("resource_type", "split", "parts", "date", "zone", "pattern", "case"):
        if getattr(rule, option) is not None:
            document[option] = getattr(rule, option)
    if rule.serials:
        document["serials"] = True
    if rule.nulls:
        document["nulls"] = list(rule.nulls)
    if rule.map:
        document["map"] = dict(rule.map)
    return document


def _condition_document(condition: Condition) -> dict[str, Any]:
    if condition.operator in ("empty", "filled"):
        return {"column": condition.column, "is": condition.operator}
    single = condition.operator in ("equals", "differs")
    return {
        "column": condition.column,
        condition.operator: condition.values[0] if single else list(condition.values),
    }
