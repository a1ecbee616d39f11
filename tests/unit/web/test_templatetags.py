"""The template tags: what a page gets from them, and that values never become markup."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.core.paginator import Paginator
from django.template import Context, Template
from django.template.loader import render_to_string
from django.test import RequestFactory

from grantline.web import states
from grantline.web.icons import ICONS

WEB = Path(states.__file__).parent
HOSTILE = '"><script>alert(1)</script>'


def render(source: str, **values: Any) -> str:
    return Template("{% load grantline %}" + source).render(Context(values))


class RoleForm(forms.Form):
    role_arn = forms.CharField(label="Role ARN", help_text="Paste it as AWS shows it.")
    versioned = forms.BooleanField(required=False)


def test_relative_time_says_the_exact_moment_on_hover() -> None:
    moment = datetime.now(UTC) - timedelta(minutes=12)
    html = render("{% relative_time moment %}", moment=moment)
    assert ">12 minutes ago</time>" in html
    assert f'title="{moment:%Y-%m-%d %H:%M:%S} UTC"' in html


def test_relative_time_of_nothing() -> None:
    assert "never" in render("{% relative_time moment 'never' %}", moment=None)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ 12431|thousands }}", "12,431"),
        ("{{ 3|counted:'entry,entries' }}", "3 entries"),
        ("{{ 91230000|size_mb }}", "91.2 MB"),
        ("{{ 72|duration }}", "1 min 12 s"),
        ("{{ missing|exact }}", "–"),
        ("{{ 'needs_attention'|state_label }}", "Needs attention"),
    ],
)
def test_filters(source: str, text: str) -> None:
    assert render(source) == text


@pytest.mark.parametrize("state", states.STATES)
def test_every_state_has_an_icon_and_a_word(state: str) -> None:
    html = render("{% state_chip state %}", state=state)
    assert "<svg" in html
    assert f"<span>{states.STATES[state].label}</span>" in html


def test_an_unknown_state_is_shown_as_it_is() -> None:
    html = render("{% state_chip 'half_done' %}")
    assert "chip--gray" in html
    assert "Half done" in html


def test_the_sentence_of_a_chip_is_escaped() -> None:
    html = render("{% state_chip 'failed' sentence=text %}", text=HOSTILE)
    assert "<script" not in html


def test_an_icon_without_a_label_is_hidden_and_with_one_spoken() -> None:
    assert 'aria-hidden="true"' in render("{% icon 'check' %}")
    assert 'role="img" aria-label="Passed"' in render("{% icon 'check' label='Passed' %}")


def test_every_icon_named_in_a_state_is_drawn() -> None:
    assert {mark.icon for mark in states.STATES.values()} <= set(ICONS)


def test_button_attributes() -> None:
    html = render("{% button 'Check' hx_post=url disabled=True name='' %}", url="/a?b=1&c=2")
    assert 'hx-post="/a?b=1&amp;c=2" disabled' in html
    assert "name=" not in html
    assert html.strip().startswith("<button")


def test_a_button_with_an_address_is_a_link() -> None:
    html = render("{% button 'Open' href='/runs' kind='primary' %}").strip()
    assert html.startswith('<a class="button button--primary" href="/runs">')


def test_a_button_that_opens_a_dialog_never_submits() -> None:
    html = render("{% button 'Delete' opens='delete-import' %}")
    assert 'type="button"' in html
    assert 'data-opens="delete-import"' in html


def test_a_block_keeps_its_inside_and_escapes_its_title() -> None:
    html = render("{% card title %}<p>{{ text }}</p>{% endcard %}", title=HOSTILE, text="<b>")
    assert "<p>&lt;b&gt;</p>" in html
    assert "<script" not in html


def test_page_header() -> None:
    html = render("{% page_header 'Payroll' lead='One file.' state='held' %}{% button 'Go' %}{% endpage_header %}")
    assert "<h1>Payroll</h1>" in html
    assert "chip--amber" in html
    assert html.index("One file.") < html.index("<button")


def test_field_of_a_form_names_its_hint_and_error() -> None:
    html = render("{% field form.role_arn %}", form=RoleForm({"role_arn": ""}))
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="id_role_arn-hint id_role_arn-error"' in html
    assert 'id="id_role_arn-error"' in html
    assert "This field is required." in html
    assert "optional" not in html


def test_input_keeps_what_was_typed_but_never_a_password() -> None:
    assert f'value="{"a&quot;b"}"' in render("{% input 'name' 'Name' value=value %}", value='a"b')
    assert "secret" not in render("{% input 'p' 'Password' value='secret' type='password' %}")


def test_select_marks_the_chosen_option() -> None:
    html = render("{% input 'state' 'State' type='select' value=2 options=options %}", options=[(1, "One"), (2, "Two")])
    assert re.findall(r'<option value="(\d)" selected>', html) == ["2"]


def test_copy_block_escapes_and_keeps_line_ends() -> None:
    html = render("{% copy_block text label='Trust policy' %}", text='\n{\n  "a": "<b>"\n}\n')
    assert "<code data-copy-text>{\n  &quot;a&quot;: &quot;&lt;b&gt;&quot;\n}</code>" in html


def test_pager_keeps_the_rest_of_the_query() -> None:
    request = RequestFactory().get("/accounts?search=a%26b&page=2")
    html = render("{% pager page=page noun='account' %}", page=Paginator(range(120), 50).page(2), request=request)
    assert "51 to 100 of 120 accounts" in html
    assert 'href="?search=a%26b&amp;page=3" rel="next"' in html


def test_pager_of_a_single_page_without_a_total_is_empty() -> None:
    assert render("{% pager %}").strip() == ""


def test_a_failed_check_stands_open_with_its_remedy_and_statement() -> None:
    line = {"name": "list_bucket", "outcome": "fail", "message": "Refused.", "remedy": "Allow it.", "statement": "{}"}
    html = render("{% checks lines %}", lines=[line])
    assert "List bucket" in html
    assert '<details class="checks__remedy" open>' in html
    assert "data-copy" in html


def test_definitions_show_a_dash_for_what_is_missing() -> None:
    html = render("{% definitions pairs %}", pairs=[("Version", None), ("Rows", 0), ("Key", "a/b", "code")])
    assert html.count('<span class="muted">–</span>') == 1
    assert "<dd>0</dd>" in html
    assert "data-copy" in html


def test_assets_carry_a_mark_of_their_content() -> None:
    assert re.fullmatch(r"/static/grantline/css/base\.css\?v=[0-9a-f]{10}", render("{% asset 'css/base.css' %}"))
    with pytest.raises(FileNotFoundError):
        render("{% asset 'css/missing.css' %}")


def test_the_frame_says_that_it_shows_the_past() -> None:
    values = {"navigation": [{"label": "Runs", "href": "/runs", "icon": "runs", "current": True}]}
    now = render_to_string("base.html", values)
    past = render_to_string("base.html", {**values, "as_of": datetime(2026, 11, 7, tzinfo=UTC), "knows_past": True})
    assert "Showing" not in now
    assert "Showing 7 Nov 2026, 00:00 UTC" in past
    assert "Back to now" in past
    assert 'aria-current="page"' in now


def test_a_page_that_knows_only_now_does_not_claim_the_past() -> None:
    html = render_to_string("base.html", {"navigation": [], "as_of": datetime(2026, 11, 7, tzinfo=UTC)})
    assert "This page shows now" in html
    assert "Showing" not in html
    assert "7 Nov 2026, 00:00 UTC stays set" in html
    assert "Back to now" in html


@pytest.mark.parametrize("name", ["errors/403.html", "errors/404.html", "errors/500.html", "account/sign_in.html"])
def test_pages_outside_a_session_need_no_context(name: str) -> None:
    html = render_to_string(name)
    assert "<h1" in html
    assert "sidebar" not in html


def test_shared_templates_obey_the_content_security_policy() -> None:
    for folder in ("frame", "components", "errors", "account"):
        for file in (WEB / "templates" / folder).glob("*.html"):
            text = file.read_text()
            assert not re.search(r"\sstyle=|<style|\son[a-z]+=|<script>", text), file.name
