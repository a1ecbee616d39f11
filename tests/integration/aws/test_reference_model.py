"""May organization T read key K? A model of a few lines, against the product on a local AWS.

In: random organizations, data sources, roles, trust policies and External IDs, from a seed. The model says
who may read what from the policies alone; the product answers by its own way: the connection check, then a
fetch. Where they differ, one of them is wrong.
"""

from __future__ import annotations

import fnmatch
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from grantline.aws.external_id import new_external_id
from grantline.aws.policies import permission_policy
from grantline.control.imports.models import Import
from grantline.control.organizations.models import Membership, Organization, User
from grantline.control.organizations.roles import Role as MemberRole
from grantline.control.organizations.rules import scope_of
from grantline.control.sources import rules as sources
from grantline.control.sources.models import DataSource
from grantline.control.tenancy import Scope
from grantline.errors import RequestError, SourceError
from grantline.jobs.fetching import Fetched, fetch
from grantline.jobs.requests import check_now
from tests.ministack import OTHER_ACCOUNT, SERVICE_ACCOUNT, SERVICE_ROLE_ARN, MiniStack

pytestmark = [pytest.mark.django_db, pytest.mark.integration]
SEEDS = range(30)
BUDGET_SECONDS = 60
BUCKET = "acme-exports"
KEYS = ("hr/users.csv", "hr-old/users.csv", "it/users.csv")
PREFIXES = ("", "hr/", "hr", "it/")
PRINCIPALS = (
    (SERVICE_ROLE_ARN, True),
    (f"arn:aws:iam::{SERVICE_ACCOUNT}:root", True),
    (f"arn:aws:iam::{SERVICE_ACCOUNT}:role/another", False),
    (f"arn:aws:iam::{OTHER_ACCOUNT}:root", False),
)
"""Who a statement trusts, and whether that is Grantline."""


@dataclass(frozen=True)
class Statement:
    """One Allow of a trust policy: whom, and on which condition on the External ID."""

    principal: str
    is_us: bool
    operator: str
    values: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        allow = {"Effect": "Allow", "Principal": {"AWS": self.principal}, "Action": "sts:AssumeRole"}
        condition = {"Condition": {self.operator: {"sts:ExternalId": list(self.values)}}} if self.operator else {}
        return allow | condition


@dataclass(frozen=True)
class Role:
    """A role of the bucket's account, as the model knows it."""

    arn: str
    statements: tuple[Statement, ...]
    prefix: str


# The model


def matches(statement: Statement, external_id: str | None) -> bool:
    """Whether the condition holds for this External ID (None: none is sent)."""
    if not statement.operator:
        return True
    if external_id is None:
        return statement.operator.endswith("IfExists")
    same = fnmatch.fnmatchcase if statement.operator == "StringLike" else str.__eq__
    return any(same(external_id, value) for value in statement.values)


def lets_in(role: Role, external_id: str | None) -> bool:
    """Whether Grantline gets a session of the role with this External ID."""
    return any(statement.is_us and matches(statement, external_id) for statement in role.statements)


def may_read(role: Role, source: DataSource, key: str, issued: set[str]) -> bool:
    """Whether the data source's organization may read `key` through `role`."""
    others = issued - {source.external_id}
    proven = lets_in(role, source.external_id) and not any(
        lets_in(role, external_id) for external_id in (None, new_external_id(), *others)
    )
    return proven and key.startswith(role.prefix) and key.startswith(source.prefix)


# The world


class World:
    """A random world, made in the product and in the local AWS."""

    def __init__(self, seed: int, stack: MiniStack) -> None:
        self.random, self.stack = random.Random(seed), stack  # noqa: S311 - a test's dice
        stack.make_bucket(BUCKET, dict.fromkeys(KEYS, b"User ID\nU1\n"))
        scopes = [self._organization(name) for name in ("One", "Two")]
        self.sources = [(scope, sources.create(scope, f"source {n}")) for scope in scopes for n in range(2)]
        self.issued = {source.external_id for _, source in self.sources}
        self.roles = [self._role(f"role-{number}") for number in range(3)]
        for number, (scope, source) in enumerate(self.sources):
            role = self.random.choice(self.roles)
            values = {"role_arn": role.arn, "bucket": BUCKET, "prefix": self.random.choice(PREFIXES)}
            self.sources[number] = (scope, sources.change(scope, source.pk, values))

    def pairs(self) -> Iterator[tuple[Scope, DataSource, Role]]:
        """Every data source with the role that it names, in random order."""
        by_arn = {role.arn: role for role in self.roles}
        for scope, source in self.random.sample(self.sources, len(self.sources)):
            yield scope, source, by_arn[source.role_arn]

    def _organization(self, name: str) -> Scope:
        user = User.objects.create_user(f"admin@{name.lower()}.example.com")
        organization = Organization.objects.create(name=name)
        Membership.objects.create(organization=organization, user=user, role=MemberRole.SUPER_ADMINISTRATOR.value)
        scope = scope_of(user, via="session")
        assert scope is not None
        return scope

    def _role(self, name: str) -> Role:
        count = self.random.choice((1, 1, 1, 2))
        statements = tuple(self._statement() for _ in range(count))
        prefix = self.random.choice(PREFIXES)
        trust = {"Version": "2012-10-17", "Statement": [statement.document() for statement in statements]}
        arn = self.stack.make_role(name, trust=trust, permissions=permission_policy(BUCKET, prefix))
        return Role(arn, statements, prefix)

    def _statement(self) -> Statement:
        dice = self.random
        principal, is_us = dice.choice((PRINCIPALS[0], *PRINCIPALS))
        operator = dice.choice(("StringEquals",) * 5 + ("", "StringLike", "StringEqualsIfExists"))
        values = dice.sample(sorted(self.issued), dice.choice((1, 1, 1, 2)))
        if operator == "StringLike":
            values = [dice.choice(("*", "gl_*", values[0], f"{values[0][:12]}*"))]
        return Statement(principal, is_us, operator, tuple(values) if operator else ())


def product_reads(source: DataSource, key: str, spool: Path) -> bool:
    """Whether the product's own fetch gets the file."""
    item = Import(organization_id=source.organization_id, data_source=source, key=key)
    try:
        found = fetch(item, subject_id=f"{source.pk}-{KEYS.index(key)}", spool=spool)
    except (SourceError, RequestError):
        return False
    return isinstance(found, Fetched) and found.path.read_bytes() == b"User ID\nU1\n"


@pytest.fixture(scope="module")
def deadline() -> float:
    return time.monotonic() + BUDGET_SECONDS


@pytest.fixture
def local(stack: MiniStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> MiniStack:
    chosen = replace(settings.GRANTLINE, aws_endpoint_url=stack.endpoint_url, data_dir=tmp_path, check_wait_seconds=0)
    monkeypatch.setattr(settings, "GRANTLINE", chosen)
    return stack


@pytest.mark.parametrize("seed", SEEDS)
def test_the_product_reads_what_the_model_allows_and_nothing_else(
    local: MiniStack, tmp_path: Path, seed: int, deadline: float
) -> None:
    if time.monotonic() > deadline and seed > 3:
        pytest.skip("the time for random worlds is used up")
    world = World(seed, local)
    for scope, source, role in world.pairs():
        check_now(scope, source.pk)
        stored = DataSource.objects.get(pk=source.pk)
        for key in KEYS:
            allowed = may_read(role, source, key, world.issued)
            assert product_reads(stored, key, tmp_path) == allowed, (stored.state, role, source.prefix, key)


def test_the_worlds_hold_both_answers() -> None:
    role = Role("", (Statement(SERVICE_ROLE_ARN, True, "StringEquals", ("own",)),), "hr/")
    source = DataSource(external_id="own", prefix="")
    assert may_read(role, source, KEYS[0], {"own", "other"})
    assert not may_read(role, source, KEYS[2], {"own", "other"})
