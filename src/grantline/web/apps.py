"""The Django application of the pages."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Pages, static files and what they need of the request."""

    name = "grantline.web"
    label = "web"

    def ready(self) -> None:
        """Take note of every sign-in, whichever way it came."""
        from django.contrib.auth.signals import user_logged_in

        from grantline.web.session.identity import on_signed_in

        user_logged_in.connect(on_signed_in, dispatch_uid="grantline.signed_in")
