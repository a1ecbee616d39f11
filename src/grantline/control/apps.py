"""The Django application of the control plane."""

from django.apps import AppConfig


class ControlConfig(AppConfig):
    """Models, migrations and rules of the control plane."""

    name = "grantline.control"
    label = "control"
    default_auto_field = "django.db.models.BigAutoField"
