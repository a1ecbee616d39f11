from __future__ import annotations

import json
from pathlib import Path

from grantline.cli.check import check


def notes(tmp_path: Path, before: str, after: str) -> list[str]:
    (tmp_path / "scratch").mkdir()
    (tmp_path / "before.csv").write_text("User ID,Full Name\n" + before)
    (tmp_path / "after.csv").write_text("User ID,Full Name\n" + after)
    document = check(tmp_path / "after.csv", None, tmp_path / "before.csv", tmp_path / "scratch")
    return [note for note in json.loads(json.dumps(document["notes"])) if "same name" in note]


def test_one_that_went_and_one_that_came_share_a_name(tmp_path: Path) -> None:
    found = notes(tmp_path, "a.old,Anna Berg\nb,B\nc,C\nd,D\ne,E\nf,F\n", "a.new,anna berg\nb,B\nc,C\nd,D\ne,E\nf,F\n")
    assert found == ["1 removed, 1 added, same name: was 'a.old' renamed to 'a.new'?"]


def test_a_name_that_several_have_says_nothing(tmp_path: Path) -> None:
    rest = "b,B\nc,C\nd,D\ne,E\nf,F\ng,G\nh,H\ni,I\nj,J\n"
    assert notes(tmp_path, "a1,Anna\na2,Anna\n" + rest, "a3,Anna\na2,Anna\n" + rest) != []
    (tmp_path / "x").mkdir()
    assert notes(tmp_path / "x", "a1,Anna\n" + rest, "a3,Anna\na4,Anna\n" + rest) == []
