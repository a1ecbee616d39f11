"""Who may manage which application."""

from __future__ import annotations

import pytest

from grantline.control.applications import rules
from grantline.control.organizations.models import Organization
from grantline.control.organizations.roles import Permission, Role
from grantline.control.tenancy import Scope
from grantline.errors import NotAllowed
from tests.integration.control.conftest import member

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


@pytest.fixture
def administrator(organization: Organization) -> Scope:
    """An Application Administrator."""
    return member(organization, Role.APPLICATION_ADMINISTRATOR)


def test_an_application_administrator_manages_what_they_created(administrator: Scope) -> None:
    made = rules.create(administrator, "Payroll")

    for permission in (Permission.APPLICATION_WRITE, Permission.IMPORT_WRITE, Permission.RUN_DECIDE):
        rules.require(administrator, made, permission)
    assert rules.change(administrator, made.pk, {"name": "Payroll 2"}).name == "Payroll 2"


def test_an_application_administrator_manages_what_they_own(admin: Scope, administrator: Scope) -> None:
    made = rules.create(admin, "Payroll", owner_email=administrator.actor_name)

    rules.require(administrator, made, Permission.APPLICATION_WRITE)


def test_an_application_administrator_leaves_other_applications_alone(admin: Scope, administrator: Scope) -> None:
    made = rules.create(admin, "Payroll")

    for permission in (Permission.APPLICATION_WRITE, Permission.IMPORT_WRITE, Permission.IMPORT_RUN):
        assert not rules.may(administrator, made, permission)
    with pytest.raises(NotAllowed):
        rules.change(administrator, made.pk, {"name": "Mine"})
    with pytest.raises(NotAllowed):
        rules.delete(administrator, made.pk)
    assert rules.may(administrator, made, Permission.CATALOG_READ)


def test_an_owner_does_not_manage_what_they_only_created(owner: Scope, admin: Scope) -> None:
    """Owners cannot create; an application that names them as maker, from when they could, is not theirs."""
    made = rules.create(admin, "Payroll")
    made.created_by = owner.actor_name

    assert not rules.may(owner, made, Permission.IMPORT_WRITE)
