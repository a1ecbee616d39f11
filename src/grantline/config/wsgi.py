"""The WSGI application that the web server runs in its worker processes."""

from __future__ import annotations

from grantline.config.logs import configure_logs
from grantline.config.settings import load
from grantline.config.start import set_up_django

configure_logs(load().log_format)
set_up_django()

from django.core.wsgi import get_wsgi_application  # noqa: E402 - Django must be set up first

application = get_wsgi_application()
