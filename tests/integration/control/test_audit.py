"""The audit log: a chain that takes no change, and that shows every change that got in past it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from grantline.control.applications import rules as applications
from grantline.control.audit.chain import GENESIS, digest
from grantline.control.audit.fields import HIDDEN
from grantline.control.audit.models import AuditEvent, AuditHead
from grantline.control.audit.ocsf import ocsf, ocsf_line
from grantline.control.audit.rules import Action, export_events, list_events, record
from grantline.control.audit.verify import verify
from grantline.control.isolation.base import as_owner
from grantline.control.organizations.models import Organization
from grantline.control.organizations.rules import note_failed_sign_in
from grantline.control.sources import rules as sources
from grantline.control.tenancy import Scope, scoped
from grantline.errors import NotAllowed

pytestmark = pytest.mark.integration


@pytest.fixture
def log(admin: Scope) -> list[AuditEvent]:
    """Six events of one organization."""
    for number in range(6):
        applications.create(admin, f"Application {number}")
    return list(scoped(AuditEvent, admin).order_by("sequence"))


@pytest.fixture
def tampered() -> Iterator[Callable[..., None]]:
    """Run SQL on the log as its owner with the triggers off: what somebody with the database could do."""

    def run(*statements: str) -> None:
        with as_owner(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET LOCAL session_replication_role = replica")
            for statement in statements:
                cursor.execute(statement)
            cursor.execute("SET LOCAL session_replication_role = DEFAULT")

    return run


def kinds(scope: Scope, **more: Any) -> list[tuple[int, str]]:
    return [(fault.sequence, fault.kind) for fault in verify(scope, **more).faults]


def test_events_are_numbered_and_chained(admin: Scope, stranger: Scope, log: list[AuditEvent]) -> None:
    applications.create(stranger, "Elsewhere")
    assert [event.sequence for event in log] == [1, 2, 3, 4, 5, 6]
    assert [event.previous_hash for event in log] == [GENESIS, *(event.hash for event in log[:-1])]
    assert all(re.fullmatch("[0-9a-f]{64}", event.hash) and event.hash == digest(event) for event in log)
    head = scoped(AuditHead, admin).get()
    assert (head.sequence, head.hash) == (6, log[-1].hash)
    assert scoped(AuditEvent, stranger).get().previous_hash == GENESIS


def test_an_event_goes_with_the_change_it_describes(admin: Scope, log: list[AuditEvent]) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():  # noqa: PT012 - the transaction is the point
        applications.create(admin, "Never")
        raise RuntimeError
    assert verify(admin).is_whole
    assert scoped(AuditEvent, admin).count() == 6
    applications.create(admin, "After all")
    assert verify(admin).sequence == 7


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE control_auditevent SET action = 'x'",
        "DELETE FROM control_auditevent",
        "TRUNCATE control_auditevent",
        "DELETE FROM control_audithead",
        "TRUNCATE control_audithead",
        "UPDATE control_audithead SET sequence = sequence - 1",
        "UPDATE control_audithead SET hash = 'x'",
        "UPDATE control_audithead SET sequence = sequence + 2",
    ],
)
def test_the_log_takes_no_change(log: list[AuditEvent], statement: str) -> None:
    with pytest.raises((IntegrityError, ProgrammingError)), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    with as_owner(), connection.cursor() as cursor:  # the owner of the tables meets the triggers
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(IntegrityError), transaction.atomic():
            cursor.execute(statement)


def test_a_whole_log_verifies_and_says_when(admin: Scope, log: list[AuditEvent]) -> None:
    found = verify(admin)
    assert (found.is_whole, found.events, found.sequence, found.hash) == (True, 6, 6, log[-1].hash)
    head = scoped(AuditHead, admin).get()
    assert (head.verified_at, head.verified_sequence, head.fault_count) == (found.at, 6, 0)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE control_auditevent SET actor_name = 'x' WHERE sequence = 3", [(3, "changed")]),
        ("UPDATE control_auditevent SET after = '{\"name\": 1}' WHERE sequence = 3", [(3, "changed")]),
        ("UPDATE control_auditevent SET at = at + interval '1 microsecond' WHERE sequence = 6", [(6, "changed")]),
        ("DELETE FROM control_auditevent WHERE sequence = 3", [(4, "missing")]),
        ("DELETE FROM control_auditevent WHERE sequence = 1", [(2, "missing")]),
        ("DELETE FROM control_auditevent WHERE sequence >= 5", [(6, "cut")]),
        ("DELETE FROM control_auditevent", [(6, "cut")]),
        ("UPDATE control_audithead SET sequence = 4", [(4, "head"), (6, "head")]),
        ("DELETE FROM control_audithead", [(6, "head")]),
    ],
)
def test_every_change_is_found(
    admin: Scope, log: list[AuditEvent], tampered: Callable[..., None], statement: str, expected: Any
) -> None:
    tampered(statement)
    assert kinds(admin) == expected


def test_events_that_changed_places_are_found(
    admin: Scope, log: list[AuditEvent], tampered: Callable[..., None]
) -> None:
    swap = "UPDATE control_auditevent SET sequence = {} WHERE sequence = {}"
    tampered(swap.format(99, 3), swap.format(3, 4), swap.format(4, 99))
    assert {kind for _, kind in kinds(admin)} == {"changed", "order"}
    assert (3, "changed") in kinds(admin)


def test_a_changed_event_with_a_fitting_hash_breaks_the_next_one(
    admin: Scope, log: list[AuditEvent], tampered: Callable[..., None]
) -> None:
    log[2].actor_name = "somebody else"
    tampered(
        f"UPDATE control_auditevent SET actor_name = 'somebody else', hash = '{digest(log[2])}' WHERE sequence = 3"
    )
    assert kinds(admin) == [(4, "order")]


def test_a_log_that_was_rewritten_to_its_end_is_found_with_a_kept_head(
    admin: Scope, log: list[AuditEvent], tampered: Callable[..., None]
) -> None:
    """What the chain alone cannot prove: its owner wrote it anew. A head kept elsewhere can."""
    kept = (log[3].sequence, log[3].hash)
    previous, statements = GENESIS, []
    for event in log:
        event.actor_name, event.previous_hash = "somebody else", previous
        previous = event.hash = digest(event)
        statements.append(
            f"UPDATE control_auditevent SET actor_name = 'somebody else', previous_hash = '{event.previous_hash}',"
            f" hash = '{event.hash}' WHERE sequence = {event.sequence}"
        )
    tampered(*statements, f"UPDATE control_audithead SET hash = '{previous}'")
    assert kinds(admin) == []
    assert kinds(admin, expected=kept) == [(4, "expected")]


def test_what_nobody_classified_is_hidden(admin: Scope) -> None:
    application = applications.create(admin, "Payroll")
    event = record(
        admin,
        Action.APPLICATION_CHANGE,
        application,
        name="glt_" + "x" * 43,
        before={"name": "a", "client_secret": "s3cret", "mapping": {"columns": [{"any": "thing"}]}},
        after={"password": "s3cret", "reason": "key AKIAIOSFODNN7EXAMPLE leaked", "bucket": {"token": "s3cret"}},
    )
    event.refresh_from_db()
    assert event.before == {"name": "a", "client_secret": HIDDEN, "mapping": {"columns": [{"any": "thing"}]}}
    assert event.after == {"password": HIDDEN, "reason": f"key {HIDDEN} leaked", "bucket": {"token": HIDDEN}}
    assert event.subject_name == HIDDEN
    assert event.hash == digest(event)


@pytest.mark.parametrize(
    "value",
    [0.1, 1e-7, 1e22, -0.0, 100.0, 2**70, "a\x00b", "\ud800", "é", [1.5, None, True], datetime.now(UTC), float("nan")],
)
def test_the_hash_is_of_what_the_database_gives_back(admin: Scope, value: Any) -> None:
    application = applications.create(admin, "Payroll")
    event = record(admin, Action.APPLICATION_CHANGE, application, after={"name": value, "mapping": {"x": value}})
    assert AuditEvent.objects.get(pk=event.pk).hash == digest(AuditEvent.objects.get(pk=event.pk))


def test_the_list_is_filtered(admin: Scope, auditor: Scope, owner: Scope, log: list[AuditEvent]) -> None:
    source = sources.create(admin, "Exports")
    assert list_events(auditor, action="data_source").get().subject_id == source.pk
    assert list_events(auditor, action="application:create", subject="application 3").count() == 1
    assert list_events(auditor, action="app").count() == 0
    assert list_events(auditor, subject=source.pk).count() == 1
    assert (
        list_events(auditor, actor=str(admin.actor_id)).count()
        == list_events(auditor, actor="SUPER_ADMIN").count()
        == 7
    )
    assert list_events(auditor, actor="nobody\x00").count() == 0
    middle = log[3].at
    assert [event.sequence for event in list_events(auditor, since=middle, action="application")] == [6, 5, 4]
    assert [event.sequence for event in list_events(auditor, until=middle)] == [3, 2, 1]
    with pytest.raises(NotAllowed):
        list_events(owner)


def test_an_export_is_whole_and_recorded(auditor: Scope, log: list[AuditEvent]) -> None:
    exported = list(export_events(auditor, since=datetime.now(UTC) - timedelta(days=1), action="", actor=""))
    assert [event.sequence for event in exported] == [1, 2, 3, 4, 5, 6, 7]
    last = exported[-1]
    assert (last.action, last.actor_name) == ("audit_log:export", auditor.actor_name)
    assert set(last.after or {}) == {"format", "since"}


REQUIRED = {
    3004: {"entity"},
    3002: {"user", "service"},
    6003: {"actor", "api", "src_endpoint"},
}
BASE = {"activity_id", "category_uid", "class_uid", "type_uid", "time", "metadata", "severity_id", "status_id"}


def test_ocsf_has_what_its_classes_require(admin: Scope, log: list[AuditEvent]) -> None:
    organization = Organization.objects.get(pk=admin.organization_id)
    for action in Action:
        event = record(admin, action, organization, name="x", after={"reason": "they left"})
        document = ocsf(event)
        assert BASE | REQUIRED[document["class_uid"]] <= document.keys(), action
        assert document["type_uid"] == document["class_uid"] * 100 + document["activity_id"]
        assert document["category_uid"] == document["class_uid"] // 1000
        assert document["metadata"]["version"] == "1.3.0"
        assert document["metadata"]["product"]["vendor_name"]
        assert document["src_endpoint"].keys() & {"ip", "name"}
        assert json.loads(ocsf_line(event)) == document
        assert "\n" not in ocsf_line(event)


@pytest.mark.parametrize(
    ("action", "uid", "status"),
    [
        (Action.SIGN_IN, 300201, 1),
        (Action.SIGN_IN_FAIL, 300201, 2),
        (Action.SIGN_OUT, 300202, 1),
        (Action.TOKEN_CREATE, 300401, 1),
        (Action.SOURCE_CHANGE, 300403, 1),
        (Action.TOKEN_REVOKE, 300404, 1),
        (Action.RUN_PUBLISH, 300403, 1),
        (Action.AUDIT_EXPORT, 600302, 1),
    ],
)
def test_ocsf_types(admin: Scope, action: Action, uid: int, status: int) -> None:
    event = record(admin, action, Organization.objects.get(pk=admin.organization_id))
    assert (ocsf(event)["type_uid"], ocsf(event)["status_id"]) == (uid, status)


def test_an_exported_line_can_be_verified_without_the_database(admin: Scope, log: list[AuditEvent]) -> None:
    """Rebuild the hashed document from the line alone, as a collector would."""
    import hashlib

    line = json.loads(ocsf_line(log[1]))
    chain = line["unmapped"]["chain"]
    document = {
        "format": chain["format"],
        "organization_id": line["metadata"]["tenant_uid"],
        "sequence": line["metadata"]["sequence"],
        "id": line["metadata"]["uid"],
        "at": line["unmapped"]["at"],
        "actor_id": line["actor"]["user"].get("uid", ""),
        "actor_name": line["actor"]["user"]["name"],
        "via": line["unmapped"]["via"],
        "address": line["src_endpoint"].get("ip", ""),
        "action": line["metadata"]["event_code"],
        "subject_id": line["entity"]["uid"],
        "subject_name": line["entity"]["name"],
        "before": line["unmapped"]["before"],
        "after": line["unmapped"]["after"],
        "previous_hash": chain["previous_hash"],
    }
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(text.encode()).hexdigest() == chain["hash"] == log[1].hash
    assert chain["previous_hash"] == log[0].hash


def test_a_failed_sign_in_is_in_the_members_log(admin: Scope, stranger: Scope) -> None:
    note_failed_sign_in(admin.actor_name.upper(), "password", "192.0.2.7")
    note_failed_sign_in("nobody@example.com", "password", "192.0.2.7")
    note_failed_sign_in("a\x00b", "password", None)
    event = AuditEvent.objects.get(action=Action.SIGN_IN_FAIL.value)
    assert event.organization_id == admin.organization_id
    assert (event.actor_id, event.subject_id, event.address, event.after) == (
        "",
        admin.actor_id,
        "192.0.2.7",
        {"step": "password"},
    )
