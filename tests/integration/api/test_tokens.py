"""API tokens over the API: the networks that one is taken from."""

from __future__ import annotations

import pytest

from tests.integration.api.conftest import Caller, House

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def test_a_token_for_other_networks_is_refused_like_one_that_is_unknown(house: House) -> None:
    made = house.admin.post("/tokens", {"name": "Nightly", "networks": ["192.0.2.0/24", "198.51.100.7"]})
    caller = Caller(made.document["token"])

    outside = caller.send("GET", "/applications")
    inside = caller.client.get("/api/v1/applications", headers=caller.headers, REMOTE_ADDR="192.0.2.9")
    unknown = Caller("glt_unknown").get("/applications")

    assert made.status_code == 201
    assert made.document["networks"] == ["192.0.2.0/24", "198.51.100.7/32"]
    assert inside.status_code == 200
    assert outside.status_code == unknown.status_code == 401
    assert outside.document["detail"] == unknown.document["detail"]


def test_what_is_no_network_is_refused(house: House) -> None:
    refused = house.admin.post("/tokens", {"name": "Nightly", "networks": ["192.0.2.1/24"]})

    assert refused.status_code == 422
    assert "192.0.2.1/24" in refused.content.decode()
