"""Two organizations with a member of every role, and clients that carry their tokens."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

ROOT = "/api/v1"


class Caller:
    """A client of the API with (or without) a token."""

    def __init__(self, token: str | None) -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def send(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """Send `body` as JSON (bytes go as they are); the answer, its JSON as `.document`."""
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        content_type = more.pop("content_type", "application/json" if body is not None else "")
        response: Any = self.client.generic(
            method, ROOT + path, body or b"", content_type=content_type, headers=self.headers | more.pop("headers", {})
        )
        is_json = "json" in response.headers.get("Content-Type", "") and not response.streaming
        response.document = json.loads(response.content) if is_json and response.content else None
        return response

    def get(self, path: str) -> Any:
        return self.send("GET", path)

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        return self.send("POST", path, body, **more)

    def patch(self, path: str, body: Any = None) -> Any:
        return self.send("PATCH", path, body)

    def delete(self, path: str) -> Any:
        return self.send("DELETE", path)

    def upload(self, path: str, fields: dict[str, Any]) -> Any:
        """Send a multipart form."""
        response: Any = self.client.post(ROOT + path, fields, headers=self.headers)
        response.document = json.loads(response.content)
        return response


@dataclass
class House:
    """One organization: a caller of every role, and things it owns."""

    admin: Caller
    application_administrator: Caller
    owner: Caller
    auditor: Caller
    admin_scope: Any
    owner_email: str


@pytest.fixture
def house(db: Any) -> House:
    return make_house("Example")


@pytest.fixture
def neighbour(db: Any) -> House:
    return make_house("Neighbour")


@pytest.fixture
def nobody(db: Any) -> Caller:
    return Caller(None)


def make_house(name: str) -> House:
    """An organization with a member of every role and a token for each; nobody has a password, because
    hashing one takes longer than a test."""
    from grantline.control.organizations.models import Membership, Organization, User
    from grantline.control.organizations.roles import Role
    from grantline.control.organizations.rules import scope_of
    from grantline.control.tokens.rules import create

    organization = Organization.objects.create(name=name)
    callers, scopes = {}, {}
    for role in Role:
        user = User.objects.create_user(f"{role.value}@{name.lower()}.example.com", name=role.label)
        Membership.objects.create(organization=organization, user=user, role=role.value)
        scopes[role] = scope_of(user, via="session")
        callers[role] = Caller(create(scopes[role], "tests")[1])
    return House(
        admin=callers[Role.SUPER_ADMINISTRATOR],
        application_administrator=callers[Role.APPLICATION_ADMINISTRATOR],
        owner=callers[Role.APPLICATION_OWNER],
        auditor=callers[Role.AUDITOR],
        admin_scope=scopes[Role.SUPER_ADMINISTRATOR],
        owner_email=f"application_owner@{name.lower()}.example.com",
    )
