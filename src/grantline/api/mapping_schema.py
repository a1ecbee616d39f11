"""The JSON Schema of the mapping, for editors and scripts that write one."""

from __future__ import annotations

from typing import Any

from ninja import Router

from grantline.api.bearer import ApiRequest
from grantline.api.openapi import answers
from grantline.reading.schema import mapping_schema

router = Router(tags=["imports"])


@router.get("/mapping-schema", response=answers(200, dict[str, Any]))
def read_mapping_schema(request: ApiRequest) -> dict[str, Any]:
    """Read the JSON Schema (draft 2020-12) of a mapping."""
    return mapping_schema()
