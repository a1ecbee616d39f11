"""The tokens' page: networks."""

from __future__ import annotations

import pytest
from django.test import Client

from grantline.control.tokens.models import ApiToken

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
FORM = {"name": "Nightly", "days": "5", "role": "auditor"}


def test_networks_are_typed_one_a_line_and_shown(browser: Client) -> None:
    browser.post("/settings/tokens", {**FORM, "networks": "192.0.2.0/24\n2001:db8::/32, 198.51.100.7"})

    assert ApiToken.objects.get().networks == ["192.0.2.0/24", "2001:db8::/32", "198.51.100.7/32"]
    assert "from 192.0.2.0/24, 2001:db8::/32, 198.51.100.7/32" in browser.get("/settings/tokens").content.decode()


def test_a_network_that_is_none_stands_beside_its_field(browser: Client) -> None:
    answer = browser.post("/settings/tokens", {**FORM, "networks": "192.0.2.1/24"})

    assert answer.status_code == 422
    assert 'id="field-networks-error"' in answer.content.decode()
    assert not ApiToken.objects.exists()
