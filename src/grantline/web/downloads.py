"""Tables as CSV files to download.

In: headings and rows. Out: a streamed response in UTF-8 with a byte order mark, because spreadsheets
guess the encoding without one. Invariant: no cell begins with a sign that a spreadsheet takes for a
formula (OWASP, CSV injection); such a cell gets an apostrophe before it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO

from django.http import StreamingHttpResponse

FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""The last four are full-width forms, which some spreadsheets fold."""
_CHUNK_ROWS = 500
_UNSAFE_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


def safe_cell(value: object) -> str:
    """`value` as text that no spreadsheet takes for a formula; numbers stay numbers."""
    if value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    text = str(value).replace("\x00", "␀").encode("utf-8", "replace").decode()
    return f"'{text}" if text.lstrip(" '").startswith(FORMULA_SIGNS) else text


def csv_response(name: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> StreamingHttpResponse:
    """The table as a download called `name`.csv; rows are written as they come."""
    response = StreamingHttpResponse(_lines(heads, rows), content_type="text/csv; charset=utf-8")
    file_name = _UNSAFE_IN_NAMES.sub("-", name).strip("-.") or "table"
    response["Content-Disposition"] = f'attachment; filename="{file_name[:120]}.csv"'
    response["Cache-Control"] = "no-store"
    return response


def _lines(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    buffer = StringIO()
    buffer.write("\ufeff")
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(heads)
    for number, row in enumerate(rows, start=1):
        writer.writerow([safe_cell(cell) for cell in row])
        if number % _CHUNK_ROWS == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()
