"""Findings of the request's schema, in Grantline's words.

In: the list of errors that Pydantic found in a body, a query or a path. Out: one `InputInvalid` that
names every field with its reason. Nothing of the caller's values is repeated.
"""

from __future__ import annotations

from typing import Any

from grantline.errors import InputInvalid

EXTERNAL_ID_REMEDY = "Leave it out: an External ID is made by Grantline and never taken from a caller."

_MESSAGES = {
    "missing": "This field is required.",
    "extra_forbidden": "There is no such field here.",
    "string_type": "Must be text.",
    "string_unicode": "Must be text of whole characters.",
    "int_type": "Must be a whole number.",
    "int_parsing": "Must be a whole number.",
    "int_from_float": "Must be a whole number.",
    "float_type": "Must be a number.",
    "bool_type": "Must be true or false.",
    "dict_type": "Must be an object.",
    "model_type": "Must be an object.",
    "model_attributes_type": "Must be an object.",
    "list_type": "Must be a list.",
    "datetime_parsing": "Must be a moment like 2026-03-01T00:00:00Z.",
    "datetime_from_date_parsing": "Must be a moment like 2026-03-01T00:00:00Z.",
    "timezone_aware": "Must name its zone, like 2026-03-01T00:00:00Z.",
}

_REMEDIES = {
    "missing": "Send the field.",
    "extra_forbidden": "Remove the field or correct its name; /api/v1/openapi.json lists the fields.",
}


def explained(errors: list[dict[str, Any]]) -> InputInvalid:
    """All of `errors` as one error; its remedy is that of the first."""
    fields: dict[str, str] = {}
    for error in errors:
        fields.setdefault(_field(error), _message(error))
    first = errors[0]
    names = list(fields)
    if len(fields) == 1:
        detail = f"{names[0]}: {fields[names[0]]}"
    else:
        detail = f"{len(fields)} fields are not valid: {', '.join(names)}."
    return InputInvalid(detail, fields=fields, remedy=_remedy(first))


def _field(error: dict[str, Any]) -> str:
    """The field as the caller wrote it, `columns.0.to`; `body` for the whole body."""
    source, *place = error["loc"]
    if source == "body":
        place = place[1:]  # the first is the name of our function's parameter
    return ".".join(str(part)[:100] for part in place) or str(source)


def _message(error: dict[str, Any]) -> str:
    known = _MESSAGES.get(error["type"])
    return known or f"{str(error['msg']).removesuffix('.')}."


def _remedy(error: dict[str, Any]) -> str:
    if _field(error) == "external_id":
        return EXTERNAL_ID_REMEDY
    return _REMEDIES.get(error["type"]) or "Correct the field and send the request again."
