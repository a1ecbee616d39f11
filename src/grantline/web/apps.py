"""The Django application of the pages."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Pages, static files and what they need of the request."""

    name = "grantline.web"
    label = "web"
