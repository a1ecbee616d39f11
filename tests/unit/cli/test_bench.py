"""The benchmark measures real imports, and says so when one finds something else than was made."""

from __future__ import annotations

import json

import pytest

from grantline.cli.bench import as_text
from grantline.cli.bench_workbook import workbook_text
from grantline.cli.main import main


def test_bench_measures_each_import_beside_the_parse(capsys):
    arguments = ["bench", "--rows", "2000", "--workbook-rows", "1000", "--repeats", "1", "--json"]
    assert main(arguments) == 0
    document = json.loads(capsys.readouterr().out)
    (size,) = document["sizes"]
    assert size["is_right"]
    assert size["first_load"]["counts"]["grants"] == 2000
    assert size["changed"]["changes"]["grants"] == {"added": 2, "removed": 2, "changed": 0}
    assert size["changed"]["changes"]["accounts"]["added"] >= 1
    for name in ("first_load", "changed"):
        found = size[name]
        assert found["ratio"] > 1
        assert found["cpu_ratio"] > 1
        assert sum(found["stages"].values()) == pytest.approx(found["seconds"])
        assert found["peak_memory_bytes"] > 10_000_000
    assert size["checking"]["unchecked_seconds"] > 0
    assert "checking adds" in as_text(size)
    assert "2,000 grants" in as_text(size)
    assert "mean nothing" in as_text({**size, "is_right": False})
    workbook = document["workbook"]
    assert (workbook["rows"], workbook["is_right"]) == (1000, True)
    assert workbook["first_load"]["counts"]["grants"] == 1000
    assert min(workbook[name]["ratio"] for name in ("read", "first_load")) > 0
    assert "1,000 x 8 cells as XLSX" in workbook_text(workbook)
    assert "mean nothing" in workbook_text({**workbook, "is_right": False})


@pytest.mark.parametrize("rows", ["0", "ten", "999", "100000001"])
def test_bench_refuses_a_size_it_cannot_make(rows, capsys):
    assert main(["bench", "--rows", rows]) == 64
    assert "1000 to 100000000" in capsys.readouterr().err
