"""What somebody typed, and what is wrong with it.

In: the text of a sent form, or the values of a row; then the rule's `InputInvalid`. Out: a `Form` that a
template shows with the tags `input` (`value=form.values.x error=form.errors.x`) and `form_errors`.
Invariant: what was typed is shown again as it was typed; rules check and store, forms never do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from grantline.errors import GrantlineError, InputInvalid

LONGEST_TEXT = 20_000
"""No field of these pages takes more; what is longer is cut before a rule refuses it for its length."""


@dataclass
class Form:
    """Values by field, and messages by field; `general` are those that belong to no field shown."""

    values: dict[str, Any]
    errors: dict[str, str] = field(default_factory=dict)
    general: list[str] = field(default_factory=list)

    @classmethod
    def typed(cls, data: QueryDict, texts: Sequence[str], switches: Sequence[str] = ()) -> Form:
        """The fields of a sent form: `texts` as typed, `switches` true where ticked."""
        values: dict[str, Any] = {name: data.get(name, "")[:LONGEST_TEXT] for name in texts}
        values |= {name: name in data for name in switches}
        return cls(values)

    @classmethod
    def of(cls, row: object, names: Sequence[str]) -> Form:
        """The fields of a form that is opened, from the attributes of a row."""
        return cls({name: getattr(row, name) for name in names})

    def refuse(self, error: GrantlineError) -> None:
        """Take up what a rule said. The remedy stands where its message stands."""
        fields: Mapping[str, str] = error.fields if isinstance(error, InputInvalid) else {}
        own = error.remedy if error.remedy != type(error).default_remedy else ""
        for name, message in fields.items():
            text = _with_remedy(message, own) if message == error.message else message
            if name in self.values:
                self.errors[name] = text
            else:
                self.general.append(text)
        if not fields:
            self.general.append(_with_remedy(error.message, own))

    def non_field_errors(self) -> list[str]:
        """For the tag `form_errors`."""
        return self.general

    @property
    def ok(self) -> bool:
        """Whether nothing is known to be wrong."""
        return not self.errors and not self.general

    @property
    def status(self) -> int:
        """The status of the page that shows the form."""
        return 200 if self.ok else 422


def _with_remedy(message: str, remedy: str) -> str:
    return f"{message} {remedy}" if remedy else message
