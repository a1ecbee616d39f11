"""People: who stands behind accounts of several applications."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from grantline.control import ids
from grantline.control.tenancy import Owned


class Rule(models.TextChoices):
    """By what accounts are taken for one person's."""

    EMAIL = "email", "E-mail address"
    EMPLOYEE_ID = "employee_id", "Employee ID"


class Person(Owned):
    """Whoever an e-mail address belongs to; or an employee ID, where no account says an address.

    `value` is the address in lower case, or the employee ID. The id stays for good: a person whose last
    account is gone is kept, because past days can still be asked about.
    """

    id = models.CharField(primary_key=True, max_length=40, default=ids.person_id, editable=False)
    organization = models.ForeignKey("control.Organization", on_delete=models.PROTECT, related_name="+", db_index=False)
    rule = models.CharField(max_length=20, choices=Rule.choices)
    value = models.CharField(max_length=254)
    display_name = models.CharField(max_length=1024, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "person"
        constraints: ClassVar = [
            models.UniqueConstraint("organization", "rule", "value", name="one_person_per_rule_and_value"),
            models.CheckConstraint(condition=Q(rule__in=Rule.values), name="a_person_has_a_known_rule"),
            models.CheckConstraint(condition=~Q(value=""), name="a_person_has_a_value"),
        ]

    def __str__(self) -> str:
        return self.display_name or self.value
