"""The filters for text that comes from customers' files: `{% load harmless %}`."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from grantline.web import harmless as texts
from grantline.web import words

register = template.Library()

_SHOWN = 300


@register.filter
def harmless(text: object) -> str:
    """The text with nothing hidden in it; empty for None."""
    return "" if text is None else texts.harmless(text)


@register.filter
def given(text: object) -> SafeString:
    """The text in an element of its own direction, cut after 300 characters; an en dash where empty."""
    if text is None or text == "":
        return format_html('<span class="muted">{}</span>', "–")
    shown = texts.harmless(text)
    if len(shown) > _SHOWN:
        return format_html('<bdi class="given" title="{}">{}…</bdi>', shown[:2000], shown[:_SHOWN])
    return format_html('<bdi class="given">{}</bdi>', shown)


@register.simple_tag
def moment_text(value: object) -> SafeString:
    """A date or moment of a customer's file: the day, with the whole text on hover; an en dash where empty."""
    if not value:
        return format_html('<span class="muted">{}</span>', "–")
    text = texts.harmless(value)
    try:
        shown = words.day(str(value))
    except ValueError:
        return given(text)
    return format_html('<time datetime="{}" title="{}">{}</time>', text, text, shown)
