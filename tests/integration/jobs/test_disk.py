"""A disk that is full or cannot be written, and a clean-up while somebody reads."""

from __future__ import annotations

import gzip
import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings

from grantline.catalog.lake import GRACE_SECONDS
from grantline.control.applications.catalog import catalog_of
from grantline.control.imports.models import Import
from grantline.control.lake import folder_of, reader, snapshot_of
from grantline.jobs.cleaning import clean_lake
from tests.integration.jobs.conftest import World, grants_csv

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.integration]
KEY = "access/grants.csv"
MANY = [(f"U{number:05d}", f"Ledger {number}", "Viewer") for number in range(4000)]


@contextmanager
def files_up_to(size_bytes: int) -> Iterator[None]:
    """This process can write no file beyond this size: a full disk, as far as a program can tell."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def item(world: World) -> Import:
    world.put(KEY, grants_csv(*MANY[:100]))
    made = world.make_import(KEY, guard_growth_share=None)
    assert world.run(made).state == "published"
    world.put(KEY, grants_csv(*MANY))
    return made


@pytest.mark.parametrize("packed", [False, True], ids=["while it downloads", "while it unpacks"])
def test_a_full_disk_is_a_coded_failure_and_a_later_success(world: World, item: Import, packed: bool) -> None:
    body = grants_csv(*MANY)
    before = sorted(path for path in folder_of(item).folder.rglob("*"))
    world.put(KEY, gzip.compress(body) if packed else body)
    with files_up_to(80_000):
        run = world.run(item)
    assert (run.error or {})["code"] == "lake_unavailable"
    assert "too large" in (run.error or {})["message"]
    assert sorted(path for path in folder_of(item).folder.rglob("*")) == before
    assert list(settings.GRANTLINE.spool_dir.glob("*/*")) == []
    assert item.current_version is not None
    assert item.current_version.number == 1
    assert world.run(item).state == "published"


def test_a_folder_that_cannot_be_written_is_a_coded_failure(
    world: World, item: Import, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A file where a folder should be: this stops root too, whom rights would not."""
    (tmp_path / "broken").write_text("no folder")
    chosen = settings.GRANTLINE
    monkeypatch.setattr(
        settings, "GRANTLINE", replace(chosen, data_dir=tmp_path / "broken", lake_url=str(chosen.lake_dir))
    )
    run = world.run(item)
    assert (run.state, (run.error or {})["code"]) == ("failed", "lake_unavailable")
    monkeypatch.setattr(settings, "GRANTLINE", chosen)
    assert world.run(item).state == "published"


def test_a_clean_up_leaves_what_a_reader_has_begun_with(world: World, item: Import) -> None:
    snapshot = snapshot_of(item)
    assert snapshot is not None
    with reader() as con:
        for turn in range(1, 6):  # more versions than are kept
            world.put(KEY, grants_csv(*MANY[: 100 + turn]))
            assert world.run(item).state == "published"
        clean_lake()
        files = str(snapshot.folder / "grants.parquet")
        assert con.execute("SELECT count(*) FROM read_parquet(?)", [files]).fetchone() == (100,)
    past = time.time() - GRACE_SECONDS - 60
    for path in snapshot.folder.parent.rglob("*"):
        os.utime(path, (past, past))
    assert clean_lake() > 0
    assert not snapshot.folder.exists()
    item.refresh_from_db()
    first = item.versions.get(number=1).published_at
    assert catalog_of(world.scope, item.application, first).counts().grants == 100
    assert catalog_of(world.scope, item.application).counts().grants == 105
