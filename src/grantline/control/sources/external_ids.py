"""External IDs: issued by the server, kept for good, rotated without a gap.

In: a data source, or nothing. Out: IDs, each with its row in `IssuedExternalId`. Invariants: an ID comes
from here and from nowhere else, it is issued once, and a retired one stays on record as a tombstone.
While a rotation is under way the source is read with the old ID; the new one takes its place only
through a check that proved it (`replace`).
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from grantline.aws.external_id import new_external_id
from grantline.control.audit.rules import Action, record
from grantline.control.organizations.roles import Permission
from grantline.control.sources.models import DataSource, IssuedExternalId
from grantline.control.tenancy import Scope, get, system_scope

OTHERS_TRIED = 4
"""How many IDs of others one check tries on a role."""
NOBODY = ""
"""Organization and data source of an ID that was made only to be refused."""


def issue(organization_id: str, data_source_id: str) -> str:
    """A new External ID, on record."""
    issued = IssuedExternalId.objects.create(
        external_id=new_external_id(), organization_id=organization_id, data_source_id=data_source_id
    )
    return issued.external_id


def retire_all(source: DataSource) -> None:
    """Retire every ID of a data source that goes away."""
    IssuedExternalId.objects.filter(data_source_id=source.pk, retired_at__isnull=True).update(retired_at=timezone.now())


@transaction.atomic
def rotate(scope: Scope, source_id: str) -> DataSource:
    """Issue a second External ID beside the first; one that is under way already stays as it is."""
    scope.require(Permission.SOURCE_WRITE)
    source = get(DataSource, scope, source_id, lock=True)
    if source.pending_external_id is None:
        source.pending_external_id = issue(scope.organization_id, source.pk)
        source.save(update_fields=["pending_external_id"])
        after = {"pending_external_id": source.pending_external_id}
        record(scope, Action.EXTERNAL_ID_ROTATE, source, name=source.name, after=after)
    return source


@transaction.atomic
def cancel_rotation(scope: Scope, source_id: str) -> DataSource:
    """Retire the second External ID; the first one stays. Nothing where no rotation is under way."""
    scope.require(Permission.SOURCE_WRITE)
    source = get(DataSource, scope, source_id, lock=True)
    pending = source.pending_external_id
    if pending is not None:
        _retire(pending)
        source.pending_external_id = None
        source.save(update_fields=["pending_external_id"])
        before = {"pending_external_id": pending}
        record(scope, Action.EXTERNAL_ID_CANCEL, source, name=source.name, before=before)
    return source


def replace(scope: Scope, source: DataSource) -> None:
    """Make the second External ID the one, and retire the first. The caller saves the row."""
    assert source.pending_external_id is not None  # noqa: S101 - only a check of it leads here
    old, source.external_id = source.external_id, source.pending_external_id
    source.pending_external_id = None
    _retire(old)
    record(
        scope,
        Action.EXTERNAL_ID_REPLACE,
        source,
        name=source.name,
        before={"external_id": old},
        after={"external_id": source.external_id},
    )


def others_to_refuse(source: DataSource) -> list[str]:
    """IDs that were issued to others and that the source's role must refuse: 1 to `OTHERS_TRIED`.

    Those that a role could most likely let in come first: of data sources that name the same role, then
    the same account; then ones of other organizations, others at every call; then any that is on record.
    Where there is none, one is issued and retired at once. The source's own IDs, old ones too, are never
    among them.
    """
    with system_scope("a role must refuse the External IDs of every other organization"):
        return _others(source)


def _others(source: DataSource) -> list[str]:
    found: list[str] = []
    _add(found, _claims(source)[: OTHERS_TRIED - 1])
    issued = IssuedExternalId.objects.exclude(data_source_id=source.pk)
    strangers = issued.exclude(organization_id__in=(source.organization_id, NOBODY))
    _add(
        found,
        strangers.filter(retired_at__isnull=True).order_by("?").values_list("external_id", flat=True)[:OTHERS_TRIED],
    )
    if not found:
        _add(found, strangers.order_by("?").values_list("external_id", flat=True)[:1])
    if not found:
        _add(found, issued.order_by("?").values_list("external_id", flat=True)[:1])
    return found or [_decoy()]


def _at_random(rows: QuerySet[IssuedExternalId], count: int) -> list[str]:
    return list(rows.order_by("?").values_list("external_id", flat=True)[:count])


def _claims(source: DataSource) -> list[str]:
    """IDs of other sources that name the same role (or its account), proven or not."""
    account = source.role_arn.partition(":role/")[0]
    if not account:
        return []
    same = DataSource.objects.exclude(pk=source.pk).filter(
        Q(role_arn=source.role_arn) | Q(role_arn__startswith=f"{account}:role/")
    )
    rows = same.annotate(is_same=Q(role_arn=source.role_arn), is_ours=Q(organization_id=source.organization_id))
    ordered = rows.order_by("-is_same", "is_ours", F("verified_at").desc(nulls_last=True))
    return list(ordered.values_list("external_id", flat=True)[:OTHERS_TRIED])


def _add(found: list[str], more: Iterable[str]) -> None:
    for external_id in more:
        if len(found) >= OTHERS_TRIED:
            return
        if external_id not in found:
            found.append(external_id)


def _decoy() -> str:
    external_id = issue(NOBODY, NOBODY)
    _retire(external_id)
    return external_id


def _retire(external_id: str) -> None:
    IssuedExternalId.objects.filter(pk=external_id).update(retired_at=timezone.now())
