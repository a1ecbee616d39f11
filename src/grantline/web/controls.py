"""The HTML of attributes and form controls.

In: plain values of a tag's arguments. Out: safe HTML with every value escaped. Leaves labels, hints and
errors to `components/field.html`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe


def attributes_html(named: Mapping[str, Any]) -> SafeString:
    """HTML attributes of keyword arguments; `True` is bare, `False`, `None` and `""` are left out."""
    given = [(name.rstrip("_").replace("_", "-"), value) for name, value in named.items()]
    return format_html_join(
        "",
        "{}",
        (
            (format_html(" {}", name) if value is True else format_html(' {}="{}"', name, value),)
            for name, value in given
            if value is not None and value is not False and value != ""
        ),
    )


def described_by(identity: str, hint: str, error: str) -> str:
    """The ids that a control's `aria-describedby` names; empty where it has neither hint nor error."""
    parts = [f"{identity}-hint" if hint else "", f"{identity}-error" if error else ""]
    return " ".join(part for part in parts if part)


def control_html(kind: str, value: Any, options: Any, rows: int, attributes: Mapping[str, Any]) -> SafeString:
    """The control of one field: an input of the kind given, a textarea or a select."""
    rest = attributes_html(attributes)
    text = "" if value is None else value
    if kind == "textarea":
        return format_html('<textarea class="input" rows="{}"{}>\n{}</textarea>', rows, rest, text)
    if kind == "select":
        choices = format_html_join(
            "",
            '<option value="{}"{}>{}</option>',
            ((key, mark_safe(" selected") if str(key) == str(text) else "", name) for key, name in options or ()),
        )
        return format_html('<select class="input"{}>{}</select>', rest, choices)
    if kind == "checkbox":
        checked = mark_safe(" checked") if value else ""
        return format_html('<input class="check__box" type="checkbox"{}{}>', rest, checked)
    shown = format_html(' value="{}"', text) if kind not in ("password", "file") and text != "" else ""
    return format_html('<input class="input" type="{}"{}{}>', kind, rest, shown)
