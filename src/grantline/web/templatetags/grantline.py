"""The console's template tags: `{% load grantline %}`.

Words (filters), marks (icons, chips, times), parts of a page (header, card, tabs, table paging, empty
state), form fields, things to copy, and charts. Tags take plain values, render a template of
`components/`, and never query. Keyword arguments that a tag does not know become HTML attributes, with
`_` written as `-`: `{% button "Check again" hx_post=url hx_target="#checks" %}`. Charts take the records
of `grantline.web.charts`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django import template
from django.core.paginator import Page
from django.forms import BoundField
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from grantline.web import charts, words
from grantline.web.assets import asset_url
from grantline.web.controls import attributes_html, control_html, described_by
from grantline.web.icons import icon_svg
from grantline.web.states import StateMark, state_mark

register = template.Library()

register.filter("thousands", words.thousands)
register.filter("signed", words.signed)
register.filter("percent", words.percent)
register.filter("size_mb", words.size_mb)
register.filter("duration", words.duration)


# ---- words --------------------------------------------------------------------------------------------


@register.filter
def counted(number: int | None, noun: str) -> str:
    """`{{ 3|counted:"entitlement" }}` → "3 entitlements"; an odd plural as `"entry,entries"`."""
    singular, _, plural = noun.partition(",")
    return words.counted(number, singular, plural)


@register.filter
def exact(moment: words.Moment | None) -> str:
    """`2026-11-25 14:05:09 UTC`."""
    return words.exact(moment) if moment else words.UNKNOWN


@register.filter
def day(moment: words.Moment | None) -> str:
    """`7 Nov 2026`."""
    return words.day(moment) if moment else words.UNKNOWN


@register.filter
def day_and_time(moment: words.Moment | None) -> str:
    """`7 Nov 2026, 00:00 UTC`."""
    return words.day_and_time(moment) if moment else words.UNKNOWN


@register.filter
def state_label(state: object) -> str:
    """The word of a state: `needs_attention` → "Needs attention"."""
    return state_mark(state).label


@register.simple_tag
def relative_time(moment: words.Moment | None, missing: str = words.UNKNOWN) -> SafeString:
    """A `<time>`: "12 minutes ago", with the exact UTC time on hover; the script keeps it fresh."""
    if not moment:
        return format_html('<span class="muted">{}</span>', missing)
    return format_html(
        '<time datetime="{}" title="{}" data-relative>{}</time>',
        words.as_moment(moment).isoformat(timespec="seconds"),
        words.exact(moment),
        words.relative(moment, datetime.now(UTC)),
    )


# ---- marks --------------------------------------------------------------------------------------------


@register.simple_tag
def asset(path: str) -> str:
    """The address of a file of `static/grantline/`, with a mark of its content: `{% asset "css/base.css" %}`."""
    return asset_url(path)


@register.simple_tag
def font_url(name: str) -> str:
    """The address of a font as the style sheet names it (without a mark), for preloading."""
    return static(f"grantline/fonts/{name}")


@register.simple_tag
def icon(name: str, size: int = 20, css_class: str = "", label: str = "") -> SafeString:
    """An inline icon; names are in `grantline.web.icons`. Give a label only where no word stands beside it."""
    return icon_svg(name, size, css_class, label)


@register.simple_tag
def state_chip(state: object, sentence: str = "", label: str = "") -> SafeString:
    """The chip of a state of an import, data source, run, check, issue, change or account.

    `sentence` replaces the general one on hover (`{% state_chip run.state sentence=run.verdict %}`).
    """
    mark = state_mark(state)
    return _chip(StateMark(mark.tone, mark.icon, label or mark.label, sentence or mark.sentence))


@register.simple_tag
def chip(label: str, tone: str = "gray", icon: str = "dot", title: str = "") -> SafeString:
    """A chip of your own word; tones are green, amber, red, gray, accent."""
    return _chip(StateMark(tone, icon, label, title))  # type: ignore[arg-type]


def _chip(mark: StateMark) -> SafeString:
    title = format_html(' title="{}"', mark.sentence) if mark.sentence else ""
    return format_html(
        '<span class="chip chip--{}"{}>{}<span>{}</span></span>',
        mark.tone,
        title,
        icon_svg(mark.icon, 16),
        mark.label,
    )


@register.inclusion_tag("components/button.html")
def button(
    label: str,
    href: str = "",
    kind: str = "secondary",
    icon: str = "",
    type: str = "submit",  # noqa: A002
    small: bool = False,
    icon_only: bool = False,
    opens: str = "",
    **attributes: Any,
) -> dict[str, Any]:
    """A button, or a link that looks like one where `href` is given.

    `kind`: primary, secondary, quiet, danger, danger-quiet. `opens`: the id of a dialog to open (the
    type is then "button"). `icon_only`: the label is spoken and shown on hover. Other keywords are
    attributes: `name="state" value="held" disabled=True hx_post=url form="settings"`.
    """
    if opens:
        attributes["data_opens"] = opens
    if icon_only:
        attributes.setdefault("title", label)
    return {
        "label": label,
        "href": href,
        "kind": kind,
        "icon": icon,
        "type": "button" if opens else type,
        "small": small,
        "icon_only": icon_only,
        "attributes": attributes_html(attributes),
    }


# ---- parts of a page ----------------------------------------------------------------------------------


def _trimmed(content: str) -> SafeString:
    """The rendered inside of a block tag without the space around it; stays safe HTML."""
    return mark_safe(content.strip())  # noqa: S308 - rendered by the template engine


@register.simple_block_tag(end_name="endpage_header")
def page_header(
    content: str, title: str, lead: str = "", state: str = "", sentence: str = "", eyebrow: str = ""
) -> SafeString:
    """The head of a page: `{% page_header "Payroll" lead="…" state=import.state %}` buttons `{% endpage_header %}`.

    `lead` is the page's first line: what it is for. `eyebrow` is a small word above the title.
    """
    values = {"title": title, "lead": lead, "state": state, "sentence": sentence, "eyebrow": eyebrow}
    return render_to_string("components/page_header.html", {**values, "actions": _trimmed(content)})


@register.simple_block_tag(end_name="endcard")
def card(
    content: str,
    title: str = "",
    hint: str = "",
    icon: str = "",
    flush: bool = False,
    tone: str = "",
    href: str = "",
    link: str = "",
    css_class: str = "",
    **attributes: Any,
) -> SafeString:
    """A card: `{% card "Evidence" icon="file" %}` content `{% endcard %}`.

    `flush`: no padding, for a table or list that fills it. `tone`: red marks a danger zone, amber a card
    that needs somebody. `href` and `link`: a link at the right of the title. `id`, `hx_get`, … as usual.
    """
    values = {"title": title, "hint": hint, "icon": icon, "flush": flush, "tone": tone, "href": href, "link": link}
    return render_to_string(
        "components/card.html",
        {**values, "css_class": css_class, "content": content, "attributes": attributes_html(attributes)},
    )


@register.simple_block_tag(end_name="endnotice")
def notice(content: str, title: str = "", tone: str = "gray", icon: str = "") -> SafeString:
    """A message in the page: `{% notice "This run is held" tone="amber" %}` words, buttons `{% endnotice %}`."""
    icons = {"green": "check-circle", "amber": "warning", "red": "cross-circle"}
    values = {"title": title, "tone": tone, "icon": icon or icons.get(tone, "info"), "content": _trimmed(content)}
    return render_to_string("components/notice.html", values)


@register.simple_block_tag(end_name="endempty_state")
def empty_state(content: str, title: str, icon: str = "file", text: str = "") -> SafeString:
    """What stands where nothing is yet: what the thing is (`text`), and the first step (the content)."""
    values = {"title": title, "icon": icon, "text": text, "actions": _trimmed(content)}
    return render_to_string("components/empty_state.html", values)


@register.simple_block_tag(end_name="enddialog")
def dialog(content: str, id: str, title: str, text: str = "", wide: bool = False) -> str:  # noqa: A002
    """A `<dialog>`, opened by `{% button "Delete" opens="delete-import" %}`.

    Put the form inside; `{% button "Cancel" type="button" data_closes=True %}` closes it.
    """
    values = {"id": id, "title": title, "text": text, "wide": wide, "content": content}
    return render_to_string("components/dialog.html", values)


@register.inclusion_tag("components/tabs.html")
def tabs(items: Sequence[Mapping[str, Any]], label: str = "Views") -> dict[str, Any]:
    """Tabs. Links: items `{label, href, current, count?, icon?}`. In the page: items `{label, panel, current}`,
    where `panel` is the id of an element that follows; without script all panels are shown."""
    return {"items": items, "label": label, "panels": any(item.get("panel") for item in items)}


@register.inclusion_tag("components/steps.html")
def steps(items: Sequence[Mapping[str, Any]], label: str = "Steps") -> dict[str, Any]:
    """The steps of a wizard: items `{label, href?, hint?, state}`, state one of done, current, failed, todo."""
    icons = {"done": "check", "failed": "cross"}
    shown = [{**item, "icon": icons.get(str(item.get("state")), "")} for item in items]
    return {"items": shown, "label": label}


@register.inclusion_tag("components/checks.html")
def checks(items: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The lines of a connection check: `{name, title?, outcome, message, remedy?, statement?, seconds?}`.

    `outcome`: pass, fail, unknown, skipped or running. A failed line stands open with its remedy, and
    `statement` (the policy text to change) can be copied.
    """
    shown = []
    for item in items:
        outcome = str(item.get("outcome") or "unknown")
        title = item.get("title") or str(item.get("name", "")).replace("_", " ").capitalize()
        shown.append({**item, "outcome": outcome, "title": title, "mark": state_mark(outcome)})
    return {"items": shown}


@register.inclusion_tag("components/definitions.html")
def definitions(pairs: Iterable[Sequence[Any]], columns: int = 1) -> dict[str, Any]:
    """A definition list of `(term, value)` or `(term, value, "code")`; code can be copied. Values that are
    safe HTML stay as they are; an empty value is an en dash. `columns`: 1 (term beside value) or 2."""
    rows = []
    for pair in pairs:
        term, value, *kind = pair
        rows.append({"term": term, "value": value, "code": bool(kind and kind[0] == "code")})
    return {"rows": rows, "columns": columns}


@register.inclusion_tag("components/figure.html")
def figure(
    label: str,
    value: float | str | None,
    change: int | None = None,
    since: str = "since last week",
    href: str = "",
    points: Sequence[charts.DayCount] = (),
) -> dict[str, Any]:
    """A large number with its name, its change, and a line over 90 days (`points`) where given."""
    return {
        "label": label,
        "value": value if isinstance(value, str) else words.thousands(value),
        "change": change,
        "change_text": "no change" if change == 0 else words.signed(change),
        "direction": "" if not change else "up" if change > 0 else "down",
        "since": since,
        "href": href,
        "line": charts.sparkline(points, label.lower()) if points else "",
    }


@register.inclusion_tag("components/progress.html")
def progress(label: str, value: float | None = None, total: float | None = None, text: str = "") -> dict[str, Any]:
    """A progress bar; without value or total it is under way with no known end. `text` stands at the right."""
    known = value is not None and total
    return {"label": label, "value": value if known else None, "total": total if known else None, "text": text}


@register.inclusion_tag("components/timeline.html")
def timeline(items: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What happened, newest first: items `{at, title, text?, icon?, tone?, href?}`."""
    return {"items": items}


@register.inclusion_tag("components/pager.html", takes_context=True)
def pager(
    context: template.Context,
    page: Page[Any] | None = None,
    next: str = "",  # noqa: A002
    previous: str = "",
    shown: int | None = None,
    total: int | None = None,
    noun: str = "row",
    parameter: str = "page",
) -> dict[str, Any]:
    """Paging below a table: of a Django `Page`, or of cursors (`next`, `previous`: whole addresses).

    With a `Page` the addresses keep the rest of the query. Nothing is shown where one page holds all.
    """
    text = ""
    if page is not None and not page.has_other_pages():
        return {"text": "", "next": "", "previous": ""}
    if page is not None:
        total = page.paginator.count
        first, last = words.thousands(page.start_index()), words.thousands(page.end_index())
        text = f"{first} to {last} of {words.counted(total, noun)}"
        previous = _page_address(context, parameter, page.number - 1) if page.has_previous() else ""
        next = _page_address(context, parameter, page.number + 1) if page.has_next() else ""  # noqa: A001
    elif total is not None:
        text = f"{words.thousands(shown)} of {words.counted(total, noun)}" if shown else words.counted(total, noun)
    elif shown is not None:
        text = words.counted(shown, noun)
    return {"text": text, "next": next, "previous": previous}


def _page_address(context: template.Context, parameter: str, number: int) -> str:
    request = context.get("request")
    if request is None:
        return f"?{parameter}={number}"
    query = request.GET.copy()
    query[parameter] = str(number)
    return f"?{query.urlencode()}"


# ---- forms --------------------------------------------------------------------------------------------


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, hint: str = "", wide: bool = False, **attributes: Any) -> dict[str, Any]:
    """One field of a Django form with label, hint and error: `{% field form.name hint="…" %}`."""
    identity = bound.id_for_label or bound.auto_id or bound.html_name
    error = " ".join(str(text) for text in bound.errors)
    hint = hint or str(bound.help_text or "")
    kind = getattr(bound.field.widget, "input_type", "")
    css_class = "check__box" if kind == "checkbox" else "input"
    shown: dict[str, Any] = {"class": css_class, **{n.replace("_", "-"): v for n, v in attributes.items()}}
    shown["aria-describedby"] = described_by(identity, hint, error) or None
    shown["aria-invalid"] = "true" if error else None
    return {
        "id": identity,
        "label": bound.label,
        "hint": hint,
        "error": error,
        "optional": not bound.field.required and kind != "checkbox",
        "checkbox": kind == "checkbox",
        "wide": wide,
        "control": bound.as_widget(attrs={name: value for name, value in shown.items() if value is not None}),
    }


@register.inclusion_tag("components/field.html")
def input(  # noqa: A001
    name: str,
    label: str,
    value: Any = "",
    type: str = "text",  # noqa: A002
    hint: str = "",
    error: str = "",
    required: bool = False,
    options: Iterable[Sequence[Any]] | None = None,
    rows: int = 4,
    wide: bool = False,
    quiet_label: bool = False,
    id: str = "",  # noqa: A002
    **attributes: Any,
) -> dict[str, Any]:
    """One field without a Django form: `{% input "bucket" "Bucket" value=bucket error=errors.bucket %}`.

    `type`: any input type, or textarea (`rows`), select (`options`: pairs of value and label), checkbox
    (`value` true is checked). `quiet_label`: the label is spoken, not shown (filters). Others are
    attributes: `placeholder autocomplete list data_upper`.
    """
    identity = id or f"field-{name}"
    shown = {
        "id": identity,
        "name": name,
        "required": required,
        "aria_describedby": described_by(identity, hint, error),
        "aria_invalid": "true" if error else "",
        **attributes,
    }
    return {
        "id": identity,
        "label": label,
        "hint": hint,
        "error": error,
        "optional": not required and type != "checkbox" and not quiet_label,
        "checkbox": type == "checkbox",
        "wide": wide,
        "quiet_label": quiet_label,
        "control": control_html(type, value, options, rows, shown),
    }


@register.inclusion_tag("components/form_errors.html")
def form_errors(form: Any) -> dict[str, Any]:
    """The errors that belong to no one field, above a form."""
    return {"errors": list(form.non_field_errors()) if form else []}


@register.inclusion_tag("components/drop_area.html")
def drop_area(
    name: str, label: str, accept: str = "", hint: str = "", error: str = "", required: bool = True
) -> dict[str, Any]:
    """A file field that also takes a dropped file and shows its name and size."""
    return {"name": name, "label": label, "accept": accept, "hint": hint, "error": error, "required": required}


# ---- to copy ------------------------------------------------------------------------------------------


@register.inclusion_tag("components/copy_block.html")
def copy_block(text: str, label: str = "", language: str = "", tall: bool = False) -> dict[str, Any]:
    """A block of code with a copy button. `label`: what it is ("Trust policy"). `language`: the word at its
    right. `tall`: up to 480 px before it scrolls, else 320."""
    return {"text": str(text).strip("\n"), "label": label, "language": language, "tall": tall}


@register.inclusion_tag("components/copy_value.html")
def copy_value(text: str | None, label: str = "value", large: bool = False) -> dict[str, Any]:
    """One value in a line with a copy button (an External ID, an ARN, a hash). `large`: the page's main thing."""
    return {"text": text, "label": label, "large": large}


# ---- charts -------------------------------------------------------------------------------------------


register.simple_tag(charts.sparkline, name="sparkline")
register.simple_tag(charts.daily_bars, name="bars")
register.simple_tag(charts.run_strip, name="run_strip")
register.simple_tag(charts.stage_line, name="stage_line")
register.simple_tag(charts.runs_chart, name="runs_chart")
