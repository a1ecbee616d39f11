"""Which files belong together, and which are no data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grantline.errors import FileEmpty, FileStructure, MappingInvalid, SourceIncompleteSet
from grantline.formats.limits import Limits
from grantline.mapping.document import Mapping, load
from grantline.reading.parts import PartSet, find_parts, is_helper, read_manifest, refuse_other_count

USERS = "User ID\nA1\n"
SOURCES = [
    {"match": "users*.csv", "columns": [{"source": "User ID", "to": "account.id"}]},
    {"match": "grants/*.csv", "columns": [{"source": "User ID", "to": "account.id"}]},
]


def folder(tmp_path: Path, **files: str) -> Path:
    """A folder with files; in their names `__` is a slash and a last `_csv` the ending."""
    root = tmp_path / "set"
    for name, text in files.items():
        path = root / (name.replace("__", "/").removesuffix("_csv") + (".csv" if name.endswith("_csv") else ""))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def parts(path: Path, document: dict[str, object] | None = None) -> PartSet | None:
    mapping = load(document) if document else Mapping(columns=())
    return find_parts(path, mapping, path.parent, Limits())


def names(path: Path, document: dict[str, object] | None = None) -> list[str]:
    found = parts(path, document)
    return [part.name for part in found.parts] if found else []


@pytest.mark.parametrize(
    ("name", "helper"),
    [
        ("users.csv", False),
        ("day/users.csv", False),
        ("_SUCCESS", True),
        (".users.csv.crc", True),
        ("users.csv.md5", True),
        ("_temporary/0/part-0", True),
        ("day/manifest.json", True),
        ("exports_$folder$", True),
        ("day/", True),
        ("my_users.csv", False),
    ],
)
def test_helper_files_are_told_from_data(name: str, helper: bool) -> None:
    assert is_helper(name) is helper


def test_a_single_table_has_no_parts(tmp_path: Path) -> None:
    file = tmp_path / "users.csv"
    file.write_text(USERS)
    assert parts(file) is None


def test_the_files_of_a_folder_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    assert names(folder(tmp_path, b_csv=USERS, a_csv=USERS, sub__c_csv=USERS, _SUCCESS="")) == [
        *("a.csv", "b.csv", "sub/c.csv"),
    ]


def test_a_folder_without_data_is_empty(tmp_path: Path) -> None:
    with pytest.raises(FileEmpty):
        parts(folder(tmp_path, _SUCCESS=""))


def test_a_set_waits_for_its_mark(tmp_path: Path) -> None:
    document = {"ready": "DONE", "columns": [{"source": "User ID", "to": "account.id"}]}
    root = folder(tmp_path, a_csv=USERS)
    with pytest.raises(SourceIncompleteSet, match="DONE is not in the folder yet"):
        parts(root, document)
    (root / "DONE").touch()
    assert names(root, document) == ["a.csv"]


def test_a_mark_has_no_meaning_for_a_single_file(tmp_path: Path) -> None:
    file = tmp_path / "users.csv"
    file.write_text(USERS)
    with pytest.raises(MappingInvalid, match="ready"):
        parts(file, {"ready": "DONE", "columns": [{"source": "User ID", "to": "account.id"}]})


def test_a_manifest_counts_parts_and_records(tmp_path: Path) -> None:
    root = folder(tmp_path, a_csv=USERS, b_csv=USERS)
    manifest = root / "manifest.json"
    manifest.write_text(json.dumps({"parts": 3}))
    with pytest.raises(SourceIncompleteSet, match="2 of 3"):
        parts(root)
    manifest.write_text(json.dumps({"files": ["a.csv", "b.csv"], "rows": 2}))
    found = parts(root)
    assert found is not None
    assert found.rows == 2


@pytest.mark.parametrize("text", ["[1]", "{", '"x"', ""])
def test_a_manifest_that_is_no_object_proves_nothing(text: str) -> None:
    with pytest.raises(SourceIncompleteSet, match="no JSON object"):
        read_manifest(text, "manifest.json")


@pytest.mark.parametrize(
    ("document", "found"),
    [({}, (None, None)), ({"parts": True, "rows": "2"}, (None, None)), ({"part_count": 2, "records": 9}, (2, 9))],
)
def test_only_numbers_and_lists_of_a_manifest_count(document: object, found: tuple[int | None, int | None]) -> None:
    assert read_manifest(json.dumps(document), "m.json") == found


def test_another_number_of_records_than_promised_is_refused() -> None:
    refuse_other_count(5, None)
    refuse_other_count(5, 5)
    with pytest.raises(SourceIncompleteSet, match="promises 6 records, but the files hold 5"):
        refuse_other_count(5, 6)


def test_sources_choose_their_files_by_name(tmp_path: Path) -> None:
    root = folder(tmp_path, users_1_csv=USERS, day__users_2_csv=USERS, grants__a_csv=USERS, readme="x")
    found = parts(root, {"sources": SOURCES})
    assert found is not None
    assert [part.name for part in found.parts] == ["day/users_2.csv", "grants/a.csv", "users_1.csv"]
    assert found.notes == ("Files that no source matches, left out: readme.",)


def test_a_source_without_a_file_is_a_missing_part(tmp_path: Path) -> None:
    with pytest.raises(SourceIncompleteSet, match="No file matches grants"):
        parts(folder(tmp_path, users_1_csv=USERS), {"sources": SOURCES})


def test_sources_by_name_need_a_folder_or_a_zip(tmp_path: Path) -> None:
    file = tmp_path / "users.csv"
    file.write_text(USERS)
    with pytest.raises(MappingInvalid, match="single file"):
        parts(file, {"sources": SOURCES})


def test_a_folder_of_too_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grantline.reading.parts.PARTS_LIMIT", 2)
    with pytest.raises(FileStructure, match="holds 3 files; 2 are read"):
        parts(folder(tmp_path, a_csv=USERS, b_csv=USERS, c_csv=USERS))
