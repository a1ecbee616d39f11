"""Customers' text: nothing in it hides, reorders or breaks what stands around it."""

from __future__ import annotations

import pytest
from django.template import Context, Template

from grantline.web.harmless import harmless


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\x00b", "a␀b"),
        ("a\u202eb", "a⟨U+202E⟩b"),
        ("a\u200bb", "a⟨U+200B⟩b"),
        ("a\x7f", "a␡"),
        ("a\r\n\tb", "a␍␤⇥b"),
        ("\ud800", "⟨U+D800⟩"),
        ("é ض 漢", "é ض 漢"),
    ],
)
def test_harmless_writes_out_what_cannot_be_seen(text: str, shown: str) -> None:
    assert harmless(text) == shown


def test_given_escapes_markup_and_isolates_direction() -> None:
    html = Template("{% load harmless %}{{ text|given }}").render(Context({"text": "<b>\u202ex</b>"}))
    assert html == '<bdi class="given">&lt;b&gt;⟨U+202E⟩x&lt;/b&gt;</bdi>'


def test_given_cuts_long_text() -> None:
    html = Template("{% load harmless %}{{ text|given }}").render(Context({"text": "x" * 5000}))
    assert html.count("x") == 2300
    assert "…" in html


def test_moment_text_of_text_that_is_no_date_is_shown_as_it_is() -> None:
    html = Template("{% load harmless %}{% moment_text text %}").render(Context({"text": "<soon>"}))
    assert "&lt;soon&gt;" in html


def test_moment_text_of_a_date_is_a_day_with_the_whole_text_on_hover() -> None:
    html = Template("{% load harmless %}{% moment_text text %}").render(Context({"text": "2026-05-31T22:30:00Z"}))
    assert "31 May 2026" in html
    assert 'title="2026-05-31T22:30:00Z"' in html
