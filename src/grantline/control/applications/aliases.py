"""Keys of an application that changed their spelling, declared to be the same.

In: a scope, an application, two public keys. Out: `KeyAlias` rows, and the `Aliases` that the catalog
takes. Invariant: an old key has one new key, and no chain leads back to itself. A declaration holds from
the next run on, and for every look-up of history at once.
"""

from __future__ import annotations

import hashlib
import json

from django.db import models, transaction

from grantline.catalog.aliases import Aliases, Key, resolved
from grantline.catalog.lookups import entitlement_key, entitlement_parts
from grantline.control.applications.models import Application, KeyAlias
from grantline.control.applications.rules import require
from grantline.control.audit.rules import Action, record
from grantline.control.organizations.roles import Permission
from grantline.control.tenancy import HasOrganization, Scope, get, scoped
from grantline.errors import Conflict, InputInvalid, NotFound

KINDS = ("account", "entitlement")
LONGEST_KEY = 16_384


@transaction.atomic
def declare(scope: Scope, application_id: str, kind: str, old: str, new: str, reason: str = "") -> KeyAlias:
    """Declare that what was called `old` is called `new` now.

    Keys are public ones: an account's id, an entitlement's id of the API. Raises: `InputInvalid` naming the
    field, `Conflict` where `old` is declared already or the chain would close, `NotFound`, `NotAllowed`.
    """
    application = get(Application, scope, application_id, lock=True)
    require(scope, application, Permission.IMPORT_WRITE)
    if kind not in KINDS:
        raise InputInvalid("kind must be account or entitlement.", field="kind")
    old, new = _valid(kind, old, "old"), _valid(kind, new, "new")
    if old == new:
        raise InputInvalid("Both keys are the same.", field="new")
    _refuse_second(application, kind, old, new)
    alias = KeyAlias.objects.create(
        organization_id=scope.organization_id,
        application=application,
        kind=kind,
        old=old,
        new=new,
        reason=reason.strip()[:2000],
        created_by=scope.actor_name,
    )
    after = {"kind": kind, "old": old, "new": new, "reason": alias.reason}
    record(scope, Action.ALIAS_DECLARE, alias, name=application.name, after=after)
    return alias


def list_aliases(scope: Scope, application: Application) -> models.QuerySet[KeyAlias]:
    """The aliases of an application, oldest first."""
    scope.require(Permission.CATALOG_READ)
    return scoped(KeyAlias, scope).filter(application=application).order_by("created_at", "id")


@transaction.atomic
def withdraw(scope: Scope, application_id: str, alias_id: str) -> None:
    """Take a declaration back: from the next run on both keys stand for themselves again.

    Raises: `NotFound`, `NotAllowed`.
    """
    application = get(Application, scope, application_id, lock=True)
    require(scope, application, Permission.IMPORT_WRITE)
    alias = get(KeyAlias, scope, alias_id, lock=True)
    if alias.application_id != application.pk:
        raise NotFound("There is no such alias in this application.")
    record(
        scope,
        Action.ALIAS_WITHDRAW,
        alias,
        name=application.name,
        before={"kind": alias.kind, "old": alias.old, "new": alias.new},
    )
    alias.delete()


def aliases_of(owner: HasOrganization, application_id: str) -> Aliases:
    """The aliases of an application as the catalog takes them, chains followed to their ends."""
    rows = list(scoped(KeyAlias, owner).filter(application_id=application_id))
    if not rows:
        return Aliases()
    return Aliases(
        accounts=resolved({(row.old,): (row.new,) for row in rows if row.kind == "account"}),
        entitlements=resolved(
            {entitlement_parts(row.old): entitlement_parts(row.new) for row in rows if row.kind == "entitlement"}
        ),
    )


def aliases_digest(aliases: Aliases) -> str:
    """A hash that changes with the aliases, so that the same file is read again under new ones."""
    accounts = sorted((str(old[0]), str(new[0])) for old, new in aliases.accounts.items())
    entitlements = sorted((_public(old), _public(new)) for old, new in aliases.entitlements.items())
    return hashlib.sha256(json.dumps([accounts, entitlements]).encode()).hexdigest()


def _public(key: Key) -> str:
    resource_type, resource, entitlement = key
    return entitlement_key(resource_type, resource, entitlement)


def _refuse_second(application: Application, kind: str, old: str, new: str) -> None:
    pairs: dict[Key, Key] = {(row.old,): (row.new,) for row in application.aliases.filter(kind=kind)}
    if (old,) in pairs:
        raise Conflict(
            "The old key is declared to be the same as another one already.",
            remedy="Withdraw that declaration first, or declare its new key the same as this one.",
        )
    try:
        resolved({**pairs, (old,): (new,)})
    except ValueError as error:
        raise Conflict(
            "The new key is declared to be the same as the old one already, the other way round.",
            remedy="Withdraw that declaration first.",
        ) from error


def _valid(kind: str, key: str, field: str) -> str:
    """The key in its one spelling. Raises: `InputInvalid`."""
    if not key or len(key) > LONGEST_KEY or "\x00" in key:
        raise InputInvalid("The key must be text without a NUL.", field=field)
    if kind == "account":
        return key
    try:
        return entitlement_key(*entitlement_parts(key))
    except NotFound as error:
        raise InputInvalid(
            "This is not the id of an entitlement.", field=field, remedy="Copy its id from the list of entitlements."
        ) from error
