"""The account index: which accounts are current, for search and look-ups across applications."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import MD5

from grantline.control.tenancy import Owned


class AccountIndex(Owned):
    """One current account of one import. Everything else about it is in the version's files.

    The unique rule is on the key's MD5, because a key may be longer than an index entry can be. The MD5 is
    a column of its own: behind row-level security PostgreSQL uses no index on an expression of it.
    """

    application = models.ForeignKey("control.Application", on_delete=models.CASCADE, related_name="+")
    import_id = models.CharField(max_length=40)
    key = models.CharField(max_length=1024)
    key_digest = models.GeneratedField(
        expression=MD5("key"), output_field=models.CharField(max_length=32), db_persist=True
    )
    email_folded = models.CharField(max_length=254, blank=True)
    username_folded = models.CharField(max_length=1024, blank=True)
    display_name = models.CharField(max_length=1024, blank=True)

    class Meta:
        verbose_name = "account"
        constraints: ClassVar = [
            models.UniqueConstraint("import_id", "key_digest", name="one_index_row_per_import_and_account"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "email_folded"], name="account_index_by_email"),
        ]
