"""The account index's two files: who is new or different, and who is gone."""

from __future__ import annotations

from grantline.catalog.index import write_index_of_diff, write_index_of_version, write_whole_index


def test_index_of_a_diff_and_of_its_written_version_are_the_same(feed, tmp_path):
    feed.load({"U1": {"email": "one@example.com"}, "U2": {"email": "two@example.com"}, "U3": {}})
    found = feed.load({"U1": {"email": "one@example.com"}, "U2": {"email": "deux@example.com"}, "U4": {}})
    one, two = tmp_path / "changed.csv", tmp_path / "removed.csv"
    write_index_of_diff(feed.con, found, one, two)
    assert sorted(one.read_text().splitlines()) == ["U2,deux@example.com,,,deux@example.com,,", "U4,,,,,,"]
    assert two.read_text().splitlines() == ["U3"]
    history = feed.place.history("ver_2")
    again, gone = tmp_path / "again.csv", tmp_path / "gone.csv"
    write_index_of_version(feed.con, feed.current.folder, history, found.number, again, gone)
    assert sorted(again.read_text().splitlines()) == sorted(one.read_text().splitlines())
    assert gone.read_text() == two.read_text()


def test_index_of_the_first_version_names_everybody(feed, tmp_path):
    found = feed.load({"U1": {"display_name": 'A "quoted", name'}})
    one, two = tmp_path / "changed.csv", tmp_path / "removed.csv"
    write_index_of_diff(feed.con, found, one, two)
    assert one.read_text() == 'U1,,,"A ""quoted"", name",,,\n'
    assert two.read_text() == ""


def test_the_whole_index_names_those_that_stayed_too(feed, tmp_path):
    feed.load({"U1": {"email": "One@example.com", "employee_id": "7", "owner_email": "Boss@example.com"}})
    feed.load({"U1": {"email": "One@example.com", "employee_id": "7", "owner_email": "Boss@example.com"}, "U2": {}})
    changed, removed = tmp_path / "changed.csv", tmp_path / "removed.csv"
    write_whole_index(feed.con, feed.current.folder, changed, removed)
    lines = changed.read_text().splitlines()
    assert lines == ["U1,One@example.com,,,one@example.com,7,boss@example.com", "U2,,,,,,"]
    assert removed.read_text() == ""
