"""Addresses of the pages; those of applications, imports and runs are in `urls_catalog`."""

from __future__ import annotations

from django.urls import include, path
from django.views.generic import RedirectView

from grantline.web.overview import views as overview
from grantline.web.search import views as search
from grantline.web.session import as_of
from grantline.web.session import views as session
from grantline.web.settings import tokens
from grantline.web.settings import views as settings
from grantline.web.sources import browser, checking, listing, page, wizard

_SOURCES = "integrations/data-sources"
_SOURCE = f"{_SOURCES}/<str:source_id>"

urlpatterns = [
    path("", overview.show, name="overview"),
    path("sign-in", session.sign_in, name="sign_in"),
    path("sign-out", session.sign_out, name="sign_out"),
    path("as-of", as_of.choose_day, name="as_of"),
    path("search", search.show, name="search"),
    path("integrations", RedirectView.as_view(pattern_name="sources"), name="integrations"),
    path(_SOURCES, listing.index, name="sources"),
    path(_SOURCE, page.show, name="source"),
    path(f"{_SOURCE}/setup", wizard.resume, name="source_setup"),
    path(f"{_SOURCE}/setup/<str:step>", wizard.step, name="source_setup_step"),
    path(f"{_SOURCE}/check", checking.start, name="source_check"),
    path(f"{_SOURCE}/check/panel", checking.panel, name="source_check_panel"),
    path(f"{_SOURCE}/bucket", browser.show, name="source_bucket"),
    path(f"{_SOURCE}/edit", page.edit, name="source_edit"),
    path(f"{_SOURCE}/delete", page.delete, name="source_delete"),
    path("settings", settings.index, name="settings"),
    path("settings/tokens", tokens.index, name="tokens"),
    path("settings/tokens/<str:token_id>/revoke", tokens.revoke, name="token_revoke"),
    path("settings/members", settings.members, name="members"),
    path("settings/profile", settings.profile, name="profile"),
    path("", include("grantline.web.urls_catalog")),
]
