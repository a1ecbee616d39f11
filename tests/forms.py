"""What a browser would send of a form: `fields_of(html, form_id)`."""

from __future__ import annotations

from html.parser import HTMLParser


class _Form(HTMLParser):
    def __init__(self, form_id: str) -> None:
        super().__init__()
        self.form_id, self.fields = form_id, dict[str, str]()
        self.inside, self.select, self.area, self.first = False, "", "", True

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.inside = given.get("id") == self.form_id
        name = given.get("name", "")
        if not self.inside or not (name or tag == "option"):
            return
        if tag == "input" and (given.get("type") not in ("checkbox", "radio") or "checked" in given):
            self.fields[name] = given.get("value", "on" if given.get("type") == "checkbox" else "")
        elif tag == "select":
            self.select, self.first = name, True
        elif tag == "option" and self.select and (self.first or "selected" in given):
            self.fields[self.select], self.first = given.get("value", ""), False
        elif tag == "textarea":
            self.area = name
            self.fields[name] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        elif tag == "select":
            self.select = ""
        elif tag == "textarea" and self.area:
            # The first line end of a textarea is no part of it; the rest is sent as CRLF.
            self.fields[self.area] = self.fields[self.area].removeprefix("\n").replace("\n", "\r\n")
            self.area = ""

    def handle_data(self, data: str) -> None:
        if self.area:
            self.fields[self.area] += data


def fields_of(html: str, form_id: str) -> dict[str, str]:
    """The fields of one form with their values; no button is pressed."""
    form = _Form(form_id)
    form.feed(html)
    return form.fields
