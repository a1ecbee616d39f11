"""The verdict of `grantline check` in words, for a person at a terminal."""

from __future__ import annotations

from itertools import groupby
from typing import Any

SHOWN_PER_CODE = 10
"""Issues of one code that are printed; `--json` has all that are kept."""


def as_text(document: dict[str, Any], name: str) -> str:
    """The answer of `check` as lines: verdict, format, counts, changes, issues by code, notes."""
    lines = [_verdict(document, name), *_format(document["format"])]
    if document["error"] is None or document["counts"]["rows_read"]:
        lines.append(_counts(document["counts"]))
    lines += _changes(document.get("changes"))
    lines += _columns(document["columns"])
    lines += _issues(document)
    lines += document["notes"]
    for kind in ("accounts", "entitlements", "grants"):
        lines += _records(kind, document.get(kind))
    return "\n".join(lines)


def _verdict(document: dict[str, Any], name: str) -> str:
    error = document["error"]
    if error is not None:
        place = ", ".join(f"{key} {error[key]}" for key in ("row", "line", "column", "cell") if error[key] is not None)
        where = f" ({place})" if place else ""
        return f"{name} is refused: {error['message']}{where} [{error['code']}]\n{error['remedy']}"
    if document["rows_with_errors"]:
        return f"{name} is accepted, but some of its rows are refused."
    return f"{name} is accepted."


def _format(found: dict[str, Any]) -> list[str]:
    known = [f"{key.replace('_', ' ')} {_shown(value)}" for key, value in found.items() if value is not None]
    return [f"Format: {', '.join(known)}."] if known else []


def _shown(value: object) -> str:
    return "tab" if value == "\t" else str(value)


def _counts(counts: dict[str, int]) -> str:
    return (
        f"Rows: {counts['rows_read']:,} read, {counts['rows_rejected']:,} refused. Accounts: {counts['accounts']:,}."
        f" Resources: {counts['resources']:,}. Entitlements: {counts['entitlements']:,}."
        f" Grants: {counts['grants']:,}."
    )


def _changes(changes: dict[str, Any] | None) -> list[str]:
    if changes is None:
        return []
    return [
        f"{kind.capitalize()}: {found['added']:,} added, {found['removed']:,} removed, {found['changed']:,} changed."
        for kind, found in changes.items()
    ]


def _columns(columns: list[dict[str, Any]]) -> list[str]:
    mapped = [f"  {item['column']} → {item['to']}" for item in columns if item["to"]]
    unused = [item["column"] for item in columns if not item["to"]]
    lines = ["Columns, recognized by their names:", *mapped] if mapped else []
    return lines + ([f"Columns left out: {', '.join(unused)}."] if unused else [])


def _issues(document: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    ordered = sorted(document["issues"], key=lambda issue: (issue["severity"], issue["code"]))
    for (severity, code), group in groupby(ordered, key=lambda issue: (issue["severity"], issue["code"])):
        issues = list(group)
        lines.append(f"{severity.capitalize()} {code}, {len(issues)} in all:")
        for issue in issues[:SHOWN_PER_CODE]:
            lines += [f"  {_place(issue)}{issue['message']}", *_row(issue)]
        if len(issues) > SHOWN_PER_CODE:
            lines.append(f"  and {len(issues) - SHOWN_PER_CODE:,} more; --json lists them")
        remedies = dict.fromkeys(issue["remedy"] for issue in issues if issue["remedy"])
        lines += [f"  {remedy}" for remedy in list(remedies)[:3]]
    return lines


def _place(issue: dict[str, Any]) -> str:
    if issue["cell"]:
        return f"{issue['cell']}: "
    if issue["line"]:
        return f"row {issue['row']}, line {issue['line']}: "
    return f"row {issue['row']}: " if issue["row"] else ""


def _row(issue: dict[str, Any]) -> list[str]:
    """The masked row of the file, where it was asked for."""
    cells = issue.get("record")
    told = [f"{cell['column']}: {cell['text']}" for cell in cells or ()]
    return [f"    {' | '.join(told)}"] if told else []


def _records(kind: str, records: list[dict[str, Any]] | None) -> list[str]:
    if records is None:
        return []
    rows = ["  " + ", ".join(f"{key}={value}" for key, value in row.items() if value) for row in records]
    return [f"{kind.capitalize()}:", *rows]
