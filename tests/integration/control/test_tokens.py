"""API tokens: the networks they are taken from, and the role they carry."""

from __future__ import annotations

import pytest

from grantline.control.organizations.roles import Role
from grantline.control.tenancy import Scope
from grantline.control.tokens.rules import create, scope_of_token
from grantline.errors import InputInvalid, NotSignedIn

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def test_a_token_without_networks_is_taken_from_everywhere(admin: Scope) -> None:
    _token, text = create(admin, "Nightly")

    assert scope_of_token(text, "203.0.113.9").actor_id == admin.actor_id
    assert scope_of_token(text, None).actor_id == admin.actor_id


@pytest.mark.parametrize("address", ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1", "198.51.100.5"])
def test_a_token_is_taken_from_its_networks(admin: Scope, address: str) -> None:
    _token, text = create(admin, "Nightly", networks=["192.0.2.0/24", "2001:db8::/32", "198.51.100.5"])

    assert scope_of_token(text, address).actor_id == admin.actor_id


@pytest.mark.parametrize("address", ["192.0.3.7", "2001:db9::1", "198.51.100.6", "", None, "x", "::ffff:192.0.3.7"])
def test_a_token_is_refused_from_elsewhere_like_one_that_is_unknown(admin: Scope, address: str | None) -> None:
    _token, text = create(admin, "Nightly", networks=["192.0.2.0/24", "2001:db8::/32", "198.51.100.5"])

    with pytest.raises(NotSignedIn) as refused:
        scope_of_token(text, address)
    with pytest.raises(NotSignedIn) as unknown:
        scope_of_token("glt_unknown", address)
    assert str(refused.value) == str(unknown.value)


@pytest.mark.parametrize("network", ["192.0.2.1/24", "192.0.2.0/33", "example.com", "", "1"])
def test_what_is_no_network_is_named(admin: Scope, network: str) -> None:
    with pytest.raises(InputInvalid) as caught:
        create(admin, "Nightly", networks=[network])

    assert "networks" in caught.value.fields


def test_a_token_s_role_is_no_higher_than_its_maker_s(auditor: Scope) -> None:
    with pytest.raises(InputInvalid):
        create(auditor, "Nightly", role=Role.APPLICATION_OWNER)
