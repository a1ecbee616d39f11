"""Every address of Grantline: the operator's at the root, the API under /api/v1, the pages below.

The only module that knows both `web` and `api`.
"""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from grantline.api.operations import urlpatterns as operations
from grantline.api.urls import api

handler403 = "grantline.web.errors.permission_denied"
handler404 = "grantline.web.errors.page_not_found"
handler500 = "grantline.web.errors.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    *operations,
    path("api/v1/", api.urls),
    path("", include("grantline.web.urls")),
]
