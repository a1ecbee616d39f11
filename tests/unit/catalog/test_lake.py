"""The lake: layout, one rename, and a clean-up that never takes what is named."""

from __future__ import annotations

import os
import time

import pytest

from grantline.catalog.lake import ImportFolder, new_folder
from grantline.errors import Conflict, LakeUnavailable


def test_folders_of_two_imports_are_apart(tmp_path):
    one, two = ImportFolder(tmp_path, "org_1", "imp_1"), ImportFolder(tmp_path, "org_1", "imp_2")
    assert one.version("ver_1") == tmp_path / "org_1" / "imp_1" / "versions" / "ver_1"
    assert one.history("ver_1") != two.history("ver_1")


@pytest.mark.parametrize("name", ["", "..", "a/b", "../other", ".hidden", "a b"])
def test_a_name_that_leaves_the_folder_is_refused(tmp_path, name):
    with pytest.raises(LakeUnavailable):
        ImportFolder(tmp_path, "org_1", name)
    with pytest.raises(LakeUnavailable):
        ImportFolder(tmp_path, "org_1", "imp_1").version(name)


def test_snapshot_lists_history_in_the_order_given(tmp_path):
    place = ImportFolder(tmp_path, "org_1", "imp_1")
    snapshot = place.snapshot(3, "ver_3", ["ver_2", "ver_3"])
    assert snapshot.history == (place.history("ver_2"), place.history("ver_3"))


def test_new_folder_appears_complete(tmp_path):
    final = tmp_path / "versions" / "ver_1"
    with new_folder(final) as folder:
        (folder / "a").write_text("a")
        assert not final.exists()
    assert [path.name for path in final.iterdir()] == ["a"]
    assert [path.name for path in final.parent.iterdir()] == ["ver_1"]


def test_new_folder_leaves_nothing_where_the_block_fails(tmp_path):
    final = tmp_path / "versions" / "ver_1"
    with pytest.raises(ZeroDivisionError), new_folder(final) as folder:
        (folder / "a").write_text(str(1 // 0))
    assert list(final.parent.iterdir()) == []


def test_new_folder_refuses_a_name_that_is_taken(tmp_path):
    final = tmp_path / "ver_1"
    final.mkdir()
    with pytest.raises(Conflict), new_folder(final):
        pass


def test_clean_up_removes_only_old_folders_that_nothing_names(tmp_path):
    place = ImportFolder(tmp_path, "org_1", "imp_1")
    now = time.time()
    for name in ("ver_1", "ver_2", "ver_3.17-1.part"):
        _old(place.folder / "versions" / name, now - 7200)
    _old(place.version("ver_4"), now)
    for name in ("ver_1", "ver_2"):
        _old(place.history(name), now - 7200)
    gone = place.clean_up({"ver_2"}, ["ver_1"], grace_seconds=3600, now=now)
    assert {str(path.relative_to(place.folder)) for path in gone} == {
        "versions/ver_1",
        "versions/ver_3.17-1.part",
        "history/ver_2",
    }
    assert place.version("ver_2").exists()
    assert place.version("ver_4").exists()
    assert place.history("ver_1").exists()
    assert not any(path.exists() for path in gone)


def test_clean_up_spares_other_imports(tmp_path):
    other = ImportFolder(tmp_path, "org_1", "imp_2")
    _old(other.version("ver_1"), 0)
    ImportFolder(tmp_path, "org_1", "imp_1").clean_up((), ())
    assert other.version("ver_1").exists()


def test_clean_up_of_an_import_without_folder_does_nothing(tmp_path):
    assert ImportFolder(tmp_path, "org_1", "imp_1").clean_up((), ()) == ()


def _old(folder, moment):
    folder.mkdir(parents=True)
    file = folder / "manifest.json"
    file.write_text("{}")
    os.utime(file, (moment, moment))
    os.utime(folder, (moment, moment))
