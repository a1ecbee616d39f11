"""What was typed stays; what is wrong stands at its field."""

from __future__ import annotations

from django.http import QueryDict

from grantline.errors import Conflict, InputInvalid
from grantline.web.forms import LONGEST_TEXT, Form


def test_typed_keeps_text_as_it_is_and_reads_switches() -> None:
    form = Form.typed(QueryDict("name=+a+&versioned=on&other=x"), ["name", "bucket"], ["versioned", "kms"])

    assert form.values == {"name": " a ", "bucket": "", "versioned": True, "kms": False}
    assert (form.ok, form.status) == (True, 200)


def test_typed_cuts_what_no_field_takes() -> None:
    query = QueryDict(mutable=True)
    query["name"] = "x" * (LONGEST_TEXT + 1)

    assert len(Form.typed(query, ["name"]).values["name"]) == LONGEST_TEXT


def test_refuse_puts_the_remedy_where_its_message_stands() -> None:
    form = Form({"bucket": "A", "prefix": "/"})

    form.refuse(InputInvalid("No capitals.", fields={"bucket": "No capitals.", "prefix": "No slash."}, remedy="Use a."))

    assert form.errors == {"bucket": "No capitals. Use a.", "prefix": "No slash."}
    assert form.status == 422


def test_refuse_says_in_general_what_belongs_to_no_field() -> None:
    form = Form({"bucket": ""})

    form.refuse(InputInvalid("Not this.", field="elsewhere"))
    form.refuse(Conflict("It is used.", remedy="Free it first."))

    assert form.non_field_errors() == ["Not this.", "It is used. Free it first."]
    assert not form.errors
