"""The account index: which accounts are current, for search and look-ups across applications."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import MD5

from grantline.control.people.models import Rule
from grantline.control.tenancy import Owned

LONGEST_KEY = 1024
"""Characters of an account's id that the index keeps; a longer one is found by its start."""
MATCHES = (*Rule.choices, ("", "Nobody"))
"""By what an account is taken for a person's. None: it was indexed before people were matched."""


class AccountIndex(Owned):
    """One current account of one import, and whose it is. The rest about it is in the version's files.

    `employee_id` is empty for accounts that are nobody's own (service, system).

    The unique rule is on the key's MD5, because a key may be longer than an index entry can be. The MD5 is
    a column of its own: behind row-level security PostgreSQL uses no index on an expression of it.
    """

    # The indexes below begin with the organization; Django's own, two a key, would be written for nothing.
    organization = models.ForeignKey("control.Organization", on_delete=models.PROTECT, related_name="+", db_index=False)
    application = models.ForeignKey("control.Application", on_delete=models.CASCADE, related_name="+", db_index=False)
    import_id = models.CharField(max_length=40)
    key = models.CharField(max_length=LONGEST_KEY)
    key_digest = models.GeneratedField(
        expression=MD5("key"), output_field=models.CharField(max_length=32), db_persist=True
    )
    email_folded = models.CharField(max_length=254, blank=True)
    username_folded = models.CharField(max_length=1024, blank=True)
    display_name = models.CharField(max_length=1024, blank=True)
    employee_id = models.CharField(max_length=254, blank=True, db_default="")
    owner_email_folded = models.CharField(max_length=254, blank=True, db_default="")
    # Without a constraint: people are never deleted, and checking a million links would cost more than making them.
    person = models.ForeignKey(
        "control.Person", null=True, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    matched_by = models.CharField(max_length=20, null=True, choices=MATCHES)

    class Meta:
        verbose_name = "account"
        constraints: ClassVar = [
            models.UniqueConstraint("import_id", "key_digest", name="one_index_row_per_import_and_account"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["application"], name="account_index_by_application"),
            models.Index(fields=["organization", "email_folded"], name="account_index_by_email"),
            models.Index(fields=["person"], condition=Q(person__isnull=False), name="account_index_by_person"),
            models.Index(
                fields=["organization", "employee_id"], condition=~Q(employee_id=""), name="account_index_by_employee"
            ),
            models.Index(
                fields=["organization", "owner_email_folded"],
                condition=~Q(owner_email_folded=""),
                name="account_index_by_owner",
            ),
        ]
