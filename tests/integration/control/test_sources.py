"""Data sources: the External ID that survives, trust only for what is stored, tombstones for good."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from grantline.control.applications import rules as applications
from grantline.control.audit.models import AuditEvent
from grantline.control.imports import rules as imports
from grantline.control.sources import checks, external_ids, rules
from grantline.control.sources.models import DataSource, IssuedExternalId
from grantline.control.tenancy import Scope
from grantline.errors import Conflict, InputInvalid, NotAllowed, NotFound

ROLE = "arn:aws:iam::222222222222:role/GrantlineIntegration"
pytestmark = [pytest.mark.django_db, pytest.mark.integration]


def connected(scope: Scope, name: str = "exports") -> DataSource:
    source = rules.create(scope, name)
    rules.change(scope, source.pk, {"role_arn": ROLE, "bucket": "example-exports", "prefix": "access/"})
    check = checks.begin_check(scope, source.pk)
    return checks.finish_check(check, trusted=True, ok=True, found_region="eu-west-1")


def test_create_issues_an_external_id_that_every_reading_shows(admin: Scope) -> None:
    source = rules.create(admin, "exports")
    assert source.external_id.startswith("gl_")
    assert len(source.external_id) == 35
    assert rules.read(admin, source.pk).external_id == source.external_id
    rules.change(admin, source.pk, {"role_arn": ROLE})
    assert rules.read(admin, source.pk).external_id == source.external_id


def test_external_id_is_not_a_field_that_can_be_changed(admin: Scope) -> None:
    source = rules.create(admin, "exports")
    with pytest.raises(InputInvalid, match="no field 'external_id'"):
        rules.change(admin, source.pk, {"external_id": "gl_" + "a" * 32})


def test_delete_keeps_the_tombstone(admin: Scope) -> None:
    source = rules.create(admin, "exports")
    rules.delete(admin, source.pk)
    tombstone = IssuedExternalId.objects.get(external_id=source.external_id)
    assert tombstone.retired_at is not None
    assert tombstone.data_source_id == source.pk
    with pytest.raises(NotFound):
        rules.read(admin, source.pk)


def test_delete_is_refused_in_words_while_imports_use_it(admin: Scope) -> None:
    source = connected(admin)
    application = applications.create(admin, "Payments")
    imports.create(admin, application.pk, {"data_source_id": source.pk, "key": "access/grants.csv"})
    with pytest.raises(Conflict, match=r"Payments: access/grants\.csv"):
        rules.delete(admin, source.pk)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("role_arn", ROLE + "2"),
        ("bucket", "other-exports"),
        ("prefix", "b/"),
        ("region", "eu-west-1"),
        ("bucket_owner", "333333333333"),
    ],
)
def test_any_change_of_the_connection_ends_the_proof_of_trust(admin: Scope, field: str, value: str) -> None:
    source = connected(admin)
    assert source.state == "connected"
    changed = rules.change(admin, source.pk, {field: value})
    assert changed.state == "awaiting_role"
    assert changed.verified_at is None


def test_a_change_of_the_name_keeps_it(admin: Scope) -> None:
    assert rules.change(admin, connected(admin).pk, {"name": "renamed"}).state == "connected"


def test_a_role_that_is_not_trusted_is_never_connected(admin: Scope) -> None:
    source = rules.create(admin, "exports")
    rules.change(admin, source.pk, {"role_arn": ROLE})
    check = checks.begin_check(admin, source.pk)
    assert rules.read(admin, source.pk).state == "checking"
    after = checks.finish_check(check, trusted=False, ok=False, found_region="")
    assert after.state == "needs_attention"
    assert after.verified_at is None


def test_a_check_of_older_values_says_nothing(admin: Scope) -> None:
    source = rules.create(admin, "exports")
    rules.change(admin, source.pk, {"role_arn": ROLE, "bucket": "one-bucket"})
    check = checks.begin_check(admin, source.pk)
    rules.change(admin, source.pk, {"bucket": "two-bucket"})
    after = checks.finish_check(check, trusted=True, ok=True, found_region="eu-west-1")
    assert after.state == "awaiting_role"
    assert after.verified_at is None


def test_a_second_check_of_the_same_values_is_the_first(admin: Scope) -> None:
    source = rules.create(admin, "exports")
    rules.change(admin, source.pk, {"role_arn": ROLE})
    assert checks.begin_check(admin, source.pk).pk == checks.begin_check(admin, source.pk).pk


def test_a_check_needs_a_role(admin: Scope) -> None:
    with pytest.raises(InputInvalid, match="paste the role's ARN first"):
        checks.begin_check(admin, rules.create(admin, "exports").pk)


def test_everything_wrong_is_said_at_once_and_nothing_is_stored(admin: Scope) -> None:
    source = rules.create(admin, "exports")
    with pytest.raises(InputInvalid) as caught:
        rules.change(admin, source.pk, {"role_arn": "nonsense", "bucket": "UPPER", "prefix": "fine/"})
    assert set(caught.value.fields) == {"role_arn", "bucket"}
    assert rules.read(admin, source.pk).prefix == ""


def test_a_role_of_grantlines_own_account_is_refused(admin: Scope) -> None:
    source = rules.create(admin, "exports")
    with pytest.raises(InputInvalid):
        rules.change(admin, source.pk, {"role_arn": "arn:aws:iam::111111111111:role/mine"})


def test_names_are_unique_in_an_organization_only(admin: Scope, stranger: Scope) -> None:
    rules.create(admin, "exports")
    rules.create(stranger, "exports")
    with pytest.raises(InputInvalid, match="already a data source"):
        rules.create(admin, "exports")


def test_another_organization_is_told_that_there_is_no_such_source(admin: Scope, stranger: Scope) -> None:
    source = rules.create(admin, "exports")
    for call in (rules.read, rules.delete, checks.begin_check):
        with pytest.raises(NotFound):
            call(stranger, source.pk)
    with pytest.raises(NotFound):
        rules.change(stranger, source.pk, {"name": "mine"})
    assert list(rules.list_sources(stranger)) == []


def test_an_auditor_reads_and_changes_nothing(admin: Scope, auditor: Scope) -> None:
    source = rules.create(admin, "exports")
    assert rules.read(auditor, source.pk).pk == source.pk
    with pytest.raises(NotAllowed):
        rules.create(auditor, "mine")
    with pytest.raises(NotAllowed):
        rules.change(auditor, source.pk, {"name": "mine"})


def test_changes_are_in_the_audit_log_with_before_and_after(admin: Scope) -> None:
    source = rules.create(admin, "exports")
    rules.change(admin, source.pk, {"role_arn": ROLE})
    event = AuditEvent.objects.filter(subject_id=source.pk, action="data_source:change").get()
    assert event.before == {"role_arn": ""}
    assert event.after == {"role_arn": ROLE}
    assert event.actor_name == admin.actor_name


def test_a_change_of_the_connection_lifts_a_suspension_and_nothing_is_read_before_a_check(admin: Scope) -> None:
    source = connected(admin)
    check = checks.begin_check(admin, source.pk)
    checks.finish_check(check, trusted=False, ok=False, found_region="", doubt="open", reason="Open to all.")
    assert rules.read(admin, source.pk).state == "suspended"
    changed = rules.change(admin, source.pk, {"prefix": "other/"})
    assert (changed.state, changed.verified_at, changed.suspended_at) == ("awaiting_role", None, None)


def test_the_database_itself_keeps_a_role_to_one_verified_source(admin: Scope, stranger: Scope) -> None:
    connected(admin)
    rival = rules.create(stranger, "exports")
    rules.change(stranger, rival.pk, {"role_arn": ROLE})
    with pytest.raises(IntegrityError, match="a_role_belongs_to_one_verified_data_source"), transaction.atomic():
        DataSource.objects.filter(pk=rival.pk).update(verified_at=timezone.now())


def test_the_database_itself_runs_one_check_of_a_source_at_a_time(admin: Scope) -> None:
    source = connected(admin)
    check = checks.begin_check(admin, source.pk)
    check.pk = "chk_second"
    with pytest.raises(IntegrityError, match="one_check_of_a_data_source_is_under_way"), transaction.atomic():
        check.save(force_insert=True)


def test_a_check_that_was_given_up_says_nothing(admin: Scope) -> None:
    source = connected(admin)
    DataSource.objects.filter(pk=source.pk).update(next_probe_at=timezone.now())
    source.refresh_from_db()
    probe = checks.begin_probe(source)
    assert probe is not None
    check = checks.begin_check(admin, source.pk)
    checks.finish_check(probe, trusted=False, ok=False, found_region="", doubt="open")
    assert rules.read(admin, source.pk).state == "checking"
    assert checks.finish_check(check, trusted=True, ok=True, found_region="").state == "connected"


def test_a_probe_that_found_nothing_new_is_not_what_a_person_sees(admin: Scope) -> None:
    source = connected(admin)
    seen = checks.latest_check(source)
    for trusted in (True, False):
        DataSource.objects.filter(pk=source.pk).update(next_probe_at=timezone.now())
        source.refresh_from_db()
        probe = checks.begin_probe(source)
        assert probe is not None
        assert checks.latest_check(source) == seen
        checks.finish_check(probe, trusted=trusted, ok=trusted, found_region="")
        assert checks.latest_check(source) == (seen if trusted else probe)


def test_only_who_may_write_rotates(auditor: Scope, admin: Scope, stranger: Scope) -> None:
    source = rules.create(admin, "exports")
    for call in (external_ids.rotate, external_ids.cancel_rotation):
        with pytest.raises(NotAllowed):
            call(auditor, source.pk)
        with pytest.raises(NotFound):
            call(stranger, source.pk)


def test_delete_retires_both_ids_of_a_rotation(admin: Scope) -> None:
    source = external_ids.rotate(admin, rules.create(admin, "exports").pk)
    rules.delete(admin, source.pk)
    retired = IssuedExternalId.objects.filter(data_source_id=source.pk, retired_at__isnull=False)
    assert {row.external_id for row in retired} == {source.external_id, source.pending_external_id}
