"""The Django application of the control plane."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class ControlConfig(AppConfig):
    """Models, migrations and rules of the control plane.

    Migrations run as the user who connected, who owns the tables; everything else acts as a role that
    owns nothing (see `grantline.control.isolation`).
    """

    name = "grantline.control"
    label = "control"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Called by Django once the models are there."""
        self._as_owner = ExitStack()
        pre_migrate.connect(self._before_migrations, sender=self)
        post_migrate.connect(self._after_migrations, sender=self)

    def _before_migrations(self, plan: Any = (), **_: Any) -> None:
        from grantline.control.isolation.base import as_owner

        if plan:
            self._as_owner.enter_context(as_owner())

    def _after_migrations(self, plan: Any = (), **_: Any) -> None:
        from django.db import connection

        from grantline.control.isolation.walls import raise_missing_walls

        if plan and not any(is_backwards for _, is_backwards in plan):
            with connection.cursor() as cursor:
                raise_missing_walls(cursor)
        self._as_owner.close()
