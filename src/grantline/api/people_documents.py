"""What the API says of people: who, by which rule, and what they have access to.

In: rows of `control.people`. Out: documents. A person's `value` is the address or the employee ID that the
rule matches by.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from grantline.api.catalog_documents import AccountDocument, GrantDocument
from grantline.api.documents import Document, text
from grantline.control.applications.catalog import Row
from grantline.control.people.models import Person, Rule


class PersonDocument(Document):
    """Somebody who has accounts."""

    id: str
    display_name: str | None
    rule: Literal["email", "employee_id"] = Field(description="What all of the person's accounts are matched by.")
    email: str | None = Field(description="The address, in lower case; null where the rule is employee_id.")
    employee_id: str | None = Field(description="The employee ID; null where the rule is email.")
    accounts: int = Field(description="How many accounts; 0 where the last one is gone.")
    applications: int = Field(description="In how many applications.")


class ApplicationLeftOut(Document):
    """An application that keeps nothing of the moment asked about."""

    id: str
    name: str
    remedy: str


class OnePerson(PersonDocument):
    """One person, with what they are known by and what they answer for."""

    employee_ids: list[str] = Field(description="The employee IDs that the person's accounts carry now.")
    first_seen_at: datetime = Field(description="When Grantline first matched an account to this person.")
    owned_accounts: int = Field(description="How many accounts name the person's address as their owner.")
    not_kept: list[ApplicationLeftOut] = Field(
        description="Applications left out, because retention has removed what they said at as_of."
    )


class AccessDocument(Document):
    """One account of a person, with what it may do."""

    id: str
    application_id: str
    application_name: str
    matched_by: Literal["email", "employee_id", "owner"] = Field(
        description="Why the account is the person's; owner: they answer for it."
    )
    account: AccountDocument
    grants: list[GrantDocument]
    grants_next: str | None = Field(
        description="Where there are more: the cursor of the application's list of this account's grants."
    )


class AccessPage(Document):
    """A page of a person's accounts."""

    items: list[AccessDocument]
    next: str | None = Field(description="The cursor of the next page; null on the last.")
    not_kept: list[ApplicationLeftOut] = Field(
        description="Applications left out, because retention has removed what they said at as_of."
    )


def person_values(person: Person, name: str, accounts: int, applications: int) -> dict[str, Any]:
    """What every document of a person says."""
    is_email = person.rule == Rule.EMAIL
    return {
        "id": person.pk,
        "display_name": text(name),
        "rule": person.rule,
        "email": person.value if is_email else None,
        "employee_id": None if is_email else person.value,
        "accounts": accounts,
        "applications": applications,
    }


def access_document(row: Row) -> AccessDocument:
    """One account of a person with its grants."""
    application, account, grants = row["application"], row["account"], row["grants"]
    return AccessDocument(
        id=f"{application.pk}/{account['id']}",
        application_id=application.pk,
        application_name=application.name,
        matched_by=row["matched_by"],
        account=AccountDocument.model_validate(account),
        grants=[GrantDocument.model_validate(grant) for grant in grants.items],
        grants_next=grants.next,
    )
