"""A mapping's text becomes plain data: YAML or JSON, read as hostile input.

In: text. Out: dictionaries, lists, texts, whole numbers, booleans and None. What looks like a number,
a date or a yes/no word stays the text that it is (`00000000`, `1.10`, `2026-01-07`, `no`), because the
words of a mapping are compared with a file's cells. Size and nesting are bounded, anchors and aliases
are refused, and a key given twice is an error instead of the last one winning. The way back: data out as
text that reads as the same data, and the line of a place that an error names.
"""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from grantline.errors import MappingInvalid

SIZE_LIMIT = 256 * 1024
"""Bytes of a mapping's text; the longest we know has 4 kB."""

DEPTH_LIMIT = 12
"""Levels of nesting; a mapping needs four."""


class _Loader(yaml.SafeLoader):
    """Reads plain data only: no tags, no anchors, and few words that are not text."""

    yaml_implicit_resolvers: dict[str, Any] = {}

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "anchor", None) is not None:
            raise yaml.YAMLError("anchors and aliases (& and *) are not supported")
        depth = getattr(self, "_depth", 0) + 1
        if depth > DEPTH_LIMIT:
            raise yaml.YAMLError(f"more than {DEPTH_LIMIT} levels of nesting")
        self._depth = depth
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth = depth - 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.YAMLError("a key must be a text")
            if key_node.value in found:
                raise yaml.YAMLError(f"the key {key_node.value!r} is given twice")
            found[key_node.value] = self.construct_object(value_node, deep=deep)
        return found


class _Dumper(yaml.SafeDumper):
    """Writes plain data without anchors; quotes more texts than `_Loader` needs, none less."""

    def ignore_aliases(self, data: Any) -> bool:
        """Nothing is referred to: the notation refuses aliases."""
        return True


_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|)$"), ["~", "n", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^(?:0|-?[1-9][0-9]{0,17})$"), list("-0123456789"))


def read_text(text: str) -> Any:
    """The plain data that `text` holds; JSON where it starts with a brace, YAML otherwise.

    Raises: `MappingInvalid` where it is too large, neither YAML nor JSON, or uses what is refused.
    """
    if len(text.encode("utf-8", "surrogatepass")) > SIZE_LIMIT:
        raise MappingInvalid(f"The mapping is larger than {SIZE_LIMIT // 1024} KiB.")
    if text.lstrip("\ufeff \t\r\n").startswith("{"):
        try:
            return json.loads(text.lstrip("\ufeff"), object_pairs_hook=_pairs)
        except (json.JSONDecodeError, RecursionError):
            pass  # YAML's flow style also starts with a brace
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader with less in it
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise MappingInvalid(f"The mapping is not readable YAML or JSON: {_reason(error)}.") from None


def write_text(document: Any) -> str:
    """The data as YAML that `read_text` reads as the same data; a column stands on a line of its own."""
    if not document:
        return ""
    return yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100_000
    )


def line_of(text: str, message: str, column: str | None = None) -> int | None:
    """The line of `text` that an error is about, counted from 1; None where that cannot be told.

    `message` says it itself (`(line 3)`), or begins with a place such as `columns[2].split`; otherwise
    `column` is the source of the column that is meant.
    """
    said = re.search(r"\(line (\d{1,6})\)", message)
    if said:
        return int(said[1])
    try:
        root = yaml.compose(text, Loader=_Loader)
    except (yaml.YAMLError, RecursionError, ValueError):
        return None
    found = _deepest(root, message) if root is not None else None
    if found is None and column is not None and root is not None:
        found = _source_line(root, column)
    return None if found is None else found + 1


def _deepest(node: yaml.Node, rest: str, line: int | None = None) -> int | None:
    """The line of the last part of the place at the start of `rest` that the node has."""
    if isinstance(node, yaml.MappingNode):
        rest = rest.removeprefix(".")
        keys = ((key, value) for key, value in node.value if isinstance(key, yaml.ScalarNode))
        for key, value in sorted(keys, key=lambda pair: -len(pair[0].value)):
            if rest.startswith(key.value) and re.match(r"[.\[: ]", rest[len(key.value) :]):
                return _deepest(value, rest[len(key.value) :], key.start_mark.line)
    numbered = re.match(r"\[(\d{1,5})\]", rest)
    if numbered and isinstance(node, yaml.SequenceNode) and int(numbered[1]) < len(node.value):
        item = node.value[int(numbered[1])]
        return _deepest(item, rest[numbered.end() :], item.start_mark.line)
    return line


def _source_line(root: yaml.Node, column: str) -> int | None:
    """The last line that names a column as its source."""
    found = None
    for key, value in root.value if isinstance(root, yaml.MappingNode) else ():
        if key.value == "columns" and isinstance(value, yaml.SequenceNode):
            for rule in value.value:
                for name, source in rule.value if isinstance(rule, yaml.MappingNode) else ():
                    if name.value == "source" and source.value == column:
                        found = name.start_mark.line
    return found


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for key in found if sum(1 for other, _ in pairs if other == key) > 1)
        raise MappingInvalid(f"The mapping gives the key {twice!r} twice.")
    return found


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    return f"{problem} (line {mark.line + 1})" if mark is not None else str(problem)
