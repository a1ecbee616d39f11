"""Moments in queries: ISO 8601 with an offset, or a day alone, which stands for its first moment in UTC."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator, WithJsonSchema

from grantline.control.moments import completed


def _completed(value: Any) -> Any:
    return completed(value) if isinstance(value, str) else value


Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_completed),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]}),
]
"""What a query takes for a moment."""
