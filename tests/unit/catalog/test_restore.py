"""Going back to an earlier version."""

from __future__ import annotations

import pytest

from grantline.catalog.lookups import account, counts, grants
from grantline.catalog.model import KindChanges
from grantline.catalog.restore import restored
from grantline.errors import NotFound

READ = ("role", "ledger", "read")
WRITE = ("role", "ledger", "write")


def test_restored_brings_back_what_was_true(feed):
    feed.load(
        {"U1": {"email": "one@example.com"}, "U2": {}}, {("U1", READ): {"expires_at": "2026-01-01"}, ("U2", READ): {}}
    )
    feed.load({"U1": {"email": "uno@example.com"}, "U3": {}}, [("U3", WRITE)])
    found = feed.publish(restored(feed.con, feed.current, 1))
    look = [("imp_1", feed.current)]
    assert found.changes.accounts == KindChanges(added=1, removed=1, changed=1)
    assert account(feed.con, look, "U1").fields["email"] == "one@example.com"
    assert [(g.account, g.expires_at) for g in grants(feed.con, look).items] == [("U1", "2026-01-01"), ("U2", None)]
    assert counts(feed.con, look, as_of={"imp_1": 2}).grants == 1


def test_restored_of_the_current_version_changes_nothing(feed):
    feed.load({"U1": {"profile": '{"city":"Bonn"}'}}, [("U1", READ)])
    assert not feed.compare(restored(feed.con, feed.current, 1)).is_worth_writing


@pytest.mark.parametrize("number", [0, 2, -1])
def test_restored_of_a_version_that_never_was(feed, number):
    feed.load(["U1"])
    with pytest.raises(NotFound):
        restored(feed.con, feed.current, number)
