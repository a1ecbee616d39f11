from __future__ import annotations

import pytest

from grantline.formats.table import Place
from grantline.mapping.findings import cell_name


@pytest.mark.parametrize(
    ("place", "column", "cell"),
    [
        (Place(sheet="Users", sheet_row=3), 2, "Users!C3"),
        (Place(sheet_row=3), 0, "A3"),
        (Place(sheet="S", sheet_row=1), 25, "S!Z1"),
        (Place(sheet="S", sheet_row=1), 26, "S!AA1"),
        (Place(sheet="S", sheet_row=1), 702, "S!AAA1"),
        (Place(line=5), 2, None),
        (Place(sheet="S", sheet_row=1), None, None),
        (None, 2, None),
    ],
)
def test_cell_names(place: Place | None, column: int | None, cell: str | None) -> None:
    assert cell_name(place, column) == cell
