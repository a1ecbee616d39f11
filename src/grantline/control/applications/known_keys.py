"""From what a person types to the key that is meant.

In: the words for an account or an entitlement, as its lists show it. Out: its public key. Invariant: nothing
is guessed: what is unknown, or means several, is refused with what to type instead.
"""

from __future__ import annotations

from grantline.catalog.lookups import entitlement_key, entitlement_parts
from grantline.catalog.lookups.keys import Parts
from grantline.catalog.lookups.known import BETWEEN_PARTS, known_entitlements, knows_account, words_of
from grantline.control.applications.catalog import catalog_of
from grantline.control.applications.models import Application
from grantline.control.lake import reader
from grantline.control.tenancy import Scope
from grantline.errors import InputInvalid, NotFound

SHOWN = 3
"""So many of several entitlements that are called the same are named."""


def meant_key(
    scope: Scope, application: Application, kind: str, words: str, field: str, *, may_be_new: bool = False
) -> str:
    """The public key that `words` mean: of what there is or was, or with `may_be_new` of what is to come.

    Raises: `InputInvalid` naming `field`, `NotAllowed`.
    """
    words = words.strip()
    if not words or "\x00" in words:
        raise InputInvalid(f"Say which {kind} is meant.", field=field)
    if kind == "account":
        return _account(scope, application, words, field, may_be_new=may_be_new)
    return _entitlement(scope, application, words, field, may_be_new=may_be_new)


def _account(scope: Scope, application: Application, words: str, field: str, *, may_be_new: bool) -> str:
    if may_be_new:
        return words
    catalog = catalog_of(scope, application)
    with reader() as con:
        known = knows_account(con, catalog.snapshots, words)
    if not known:
        raise InputInvalid(
            f"There never was an account with the id {words} in this application.",
            field=field,
            remedy="Copy the id from the list of accounts or from a change; capital letters and spaces count.",
        )
    return words


def _entitlement(scope: Scope, application: Application, words: str, field: str, *, may_be_new: bool) -> str:
    catalog = catalog_of(scope, application)
    with reader() as con:
        found = known_entitlements(con, catalog.snapshots, _identity(words) or words)
    if len(found) == 1:
        return entitlement_key(*found[0])
    if found:
        named = "; ".join(words_of(parts) for parts in found[:SHOWN])
        raise InputInvalid(
            f"{len(found):,} entitlements are called {words}.",
            field=field,
            remedy=f"Type one of them in full: {named}{' …' if len(found) > SHOWN else '.'}",
        )
    if may_be_new:
        return _new_entitlement(words, field)
    raise InputInvalid(
        f"There never was an entitlement called {words} in this application.",
        field=field,
        remedy=f"Type its name, or resource type{BETWEEN_PARTS}resource{BETWEEN_PARTS}entitlement.",
    )


def _new_entitlement(words: str, field: str) -> str:
    parts = words.split(BETWEEN_PARTS)
    if len(parts) != 3 or not all(part.strip() for part in parts):
        raise InputInvalid(
            "An entitlement that has not come yet has to be named in full.",
            field=field,
            remedy=f"Type resource type{BETWEEN_PARTS}resource{BETWEEN_PARTS}entitlement.",
        )
    return entitlement_key(parts[0].strip(), parts[1].strip(), parts[2].strip())


def _identity(words: str) -> Parts | None:
    """The parts of a public key; None where the words are none."""
    try:
        return entitlement_parts(words)
    except NotFound:
        return None
