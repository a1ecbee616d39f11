"""A checker for trust policies, since linters of policies either refuse them or need the network.

In: a trust policy as a document, and who may be trusted with which External IDs. Out: what is wrong with it,
in words; nothing where it trusts exactly that. Strict rather than clever: what it does not know is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

STATEMENT = {"Sid", "Effect", "Principal", "Action", "Condition"}
EXTERNAL_ID = re.compile(r"[A-Za-z0-9_]{2,1224}")
"""Narrower than what STS takes, so that no console, shell or template needs to quote it."""


def faults(policy: Mapping[str, Any], principal: str, external_ids: Sequence[str]) -> list[str]:
    """What is wrong with a trust policy that is to trust `principal` with `external_ids` alone."""
    return list(_faults(policy, principal, external_ids))


def _faults(policy: Mapping[str, Any], principal: str, external_ids: Sequence[str]) -> Iterator[str]:
    if policy.get("Version") != "2012-10-17":
        yield "the version is not 2012-10-17"
    if set(policy) != {"Version", "Statement"}:
        yield "there is more than Version and Statement"
    statements = policy.get("Statement")
    if not isinstance(statements, list) or len(statements) != 1:
        yield "there is not exactly one statement"
        return
    (statement,) = statements
    if not set(statement) <= STATEMENT:
        yield f"unknown elements: {sorted(set(statement) - STATEMENT)}"
    if statement.get("Effect") != "Allow":
        yield "the statement does not allow"
    if statement.get("Principal") != {"AWS": principal}:
        yield "the principal is not Grantline's service role alone"
    if statement.get("Action") != "sts:AssumeRole":
        yield "the action is not sts:AssumeRole alone"
    yield from _condition_faults(statement.get("Condition"), external_ids)


def _condition_faults(condition: Any, external_ids: Sequence[str]) -> Iterator[str]:
    if not isinstance(condition, Mapping) or set(condition) != {"StringEquals"}:
        yield "the condition is not StringEquals alone"
        return
    keys = condition["StringEquals"]
    if set(keys) != {"sts:ExternalId"}:
        yield "the condition is not on sts:ExternalId alone"
        return
    value = keys["sts:ExternalId"]
    values = value if isinstance(value, list) else [value]
    if sorted(values) != sorted(external_ids):
        yield "the External IDs are not the data source's own"
    if not all(isinstance(text, str) and EXTERNAL_ID.fullmatch(text) for text in values):
        yield "an External ID is empty, or holds a wildcard or a character that needs quoting"
