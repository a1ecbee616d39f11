"""How far attributes are filled: counted anew for what changes alone, and the same as counting everything."""

from __future__ import annotations

from grantline.catalog.filled import Fill, fills
from grantline.catalog.guard import GuardLimits, guard

STATED = frozenset({"account.id", "account.email", "account.profile.cost center", "grant.expires_at"})
READ = ("role", "ledger", "read")
WRITE = ("role", "ledger", "write")


def found(feed, diff, stated=STATED):
    return {fill.of: (fill.filled_before, fill.filled_after) for fill in fills(feed.con, diff, stated)}


def test_fills_of_the_first_version_are_not_compared(feed, came):
    assert fills(feed.con, feed.compare(came(feed.con, {"U1": {"email": "a@example.com"}})), STATED) == ()


def test_fills_count_what_came_went_and_changed(feed, came):
    feed.load({"U1": {"email": "a"}, "U2": {"email": "b"}, "U3": {}, "U4": {"email": "d"}})
    diff = feed.compare(came(feed.con, {"U1": {}, "U2": {"email": "b"}, "U3": {"email": "c"}, "U5": {}}))
    (fill,) = fills(feed.con, diff, frozenset({"account.email"}))
    assert fill == Fill("account.email", 4, 3, 4, 2)
    assert (fill.expected, fill.missing) == (3, 1)


def test_fills_of_a_profile_are_counted_key_by_key(feed, came):
    feed.load({"U1": {"profile": '{"cost center":"7","x":"1"}'}, "U2": {"profile": '{"cost center":"8"}'}})
    stated = frozenset({"account.profile.cost center", "account.profile.x"})
    incoming = came(feed.con, {"U1": {"profile": '{"x":"1"}'}, "U2": {"profile": '{"cost center":"8"}'}}, stated=stated)
    assert found(feed, feed.compare(incoming), stated) == {
        "account.profile.cost center": (2, 1),
        "account.profile.x": (1, 1),
    }


def test_fills_of_a_profile_key_with_signs_of_a_path(feed, came):
    key = """a.b"c'$[0]"""
    text = '{"a.b\\"c\'$[0]":"1"}'
    feed.load({"U1": {"profile": text}, "U2": {"profile": text}})
    stated = frozenset({f"account.profile.{key}"})
    diff = feed.compare(came(feed.con, {"U1": {"profile": None}, "U2": {"profile": text}}, stated=stated))
    assert found(feed, diff, stated) == {f"account.profile.{key}": (2, 1)}


def test_fills_of_grants(feed, came):
    feed.load(["U1", "U2"], {("U1", READ): {"expires_at": "2027"}, ("U2", READ): {"expires_at": "2027"}})
    grants = {("U1", READ): {}, ("U2", READ): {"expires_at": "2027"}, ("U2", WRITE): {}}
    assert found(feed, feed.compare(came(feed.con, ["U1", "U2"], grants))) == {"grant.expires_at": (2, 1)}


def test_fills_of_what_the_file_does_not_state_are_not_counted(feed, came):
    feed.load({"U1": {"email": "a"}, "U2": {"email": "b"}})
    stated = frozenset({"account.username"})
    diff = feed.compare(came(feed.con, {"U1": {"username": "x"}, "U2": {}}, stated=stated))
    assert found(feed, diff, stated) == {"account.username": (0, 1)}


def test_guard_holds_a_fall_of_a_filled_share(feed, came):
    people = [f"U{number:02}" for number in range(40)]
    feed.load({name: {"email": f"{name}@example.com"} for name in people})
    diff = feed.compare(came(feed.con, {name: {"email": "x" if name < "U25" else None} for name in people}))
    verdict = guard(diff, GuardLimits(), fills(feed.con, diff, frozenset({"account.email"})))
    assert [(one.of, one.what, one.rows, one.before) for one in verdict.breaches] == [("account.email", "fill", 15, 40)]
    assert not guard(diff, GuardLimits()).held
