"""Signed-in browsers for the pages: two organizations, a member of every role."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from grantline.control.organizations.roles import Role
from grantline.control.tenancy import Scope
from tests.integration.web.people import make_member

SignIn = Callable[..., Client]


@pytest.fixture(autouse=True)
def no_failed_sign_ins() -> None:
    """Each test begins without counted failures."""
    cache.clear()


@pytest.fixture
def scope(db: Any) -> Scope:
    """The Super Administrator of the organization "Example"."""
    return make_member("Example", Role.SUPER_ADMINISTRATOR)[1]


@pytest.fixture
def browser(db: Any) -> Client:
    """A browser of the Super Administrator of "Example"."""
    return signed_in("Example", Role.SUPER_ADMINISTRATOR)


@pytest.fixture
def auditor(db: Any) -> Client:
    """A browser of an auditor of "Example"."""
    return signed_in("Example", Role.AUDITOR)


@pytest.fixture
def neighbour(db: Any) -> Client:
    """A browser of the Super Administrator of another organization."""
    return signed_in("Neighbour", Role.SUPER_ADMINISTRATOR)


def signed_in(organization: str, role: Role) -> Client:
    """A browser with a session; CSRF is checked as it is in production where a test asks for it."""
    client = Client(raise_request_exception=False)
    client.force_login(make_member(organization, role)[0])
    return client
