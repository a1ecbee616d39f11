"""Addresses of applications, imports and runs. Included at the root by `web.urls`."""

from __future__ import annotations

from django.urls import path, register_converter

from grantline.web.applications import accounts, aliases, changes, entitlements, listing
from grantline.web.applications import settings as application_settings
from grantline.web.applications.keys import KeyConverter
from grantline.web.imports import browser, drafts, edit, item, mapping, settings, start, versions
from grantline.web.imports import listing as import_listing
from grantline.web.runs import changes as run_changes
from grantline.web.runs import decision, issues, run
from grantline.web.runs import listing as run_listing

register_converter(KeyConverter, "key")

_APPLICATION = "applications/<str:application_id>"
_DRAFT = "imports/drafts/<str:draft_id>"
_IMPORT = "imports/<str:import_id>"
_RUN = "runs/<str:run_id>"

urlpatterns = [
    path("applications", listing.index, name="applications"),
    path("applications/new", listing.create, name="application_new"),
    path(_APPLICATION, listing.show, name="application"),
    path(f"{_APPLICATION}/accounts", accounts.index, name="application_accounts"),
    path(f"{_APPLICATION}/accounts/<key:key>", accounts.show, name="application_account"),
    path(f"{_APPLICATION}/entitlements", entitlements.index, name="application_entitlements"),
    path(f"{_APPLICATION}/entitlements/<str:token>", entitlements.show, name="application_entitlement"),
    path(f"{_APPLICATION}/changes", changes.index, name="application_changes"),
    path(f"{_APPLICATION}/changes.csv", changes.download, name="application_changes_download"),
    path(f"{_APPLICATION}/aliases", aliases.index, name="application_aliases"),
    path(f"{_APPLICATION}/aliases/<str:alias_id>/withdraw", aliases.withdraw, name="application_alias_withdraw"),
    path(f"{_APPLICATION}/imports", import_listing.index, name="application_imports"),
    path(f"{_APPLICATION}/settings", application_settings.show, name="application_settings"),
    path(f"{_APPLICATION}/delete", application_settings.delete, name="application_delete"),
    path("imports/new", start.choose_application, name="import_choose"),
    path(f"{_APPLICATION}/imports/new", start.new, name="import_new"),
    path(f"{_APPLICATION}/imports/new/upload", start.upload, name="import_new_upload"),
    path(_DRAFT, drafts.show, name="import_draft"),
    path(f"{_DRAFT}/source", drafts.change_source, name="import_draft_source"),
    path(f"{_DRAFT}/upload", drafts.upload, name="import_draft_upload"),
    path(f"{_DRAFT}/listing", browser.listing, name="import_draft_listing"),
    path(f"{_DRAFT}/preview", mapping.preview, name="import_draft_preview"),
    path(f"{_DRAFT}/import", drafts.finish, name="import_draft_finish"),
    path(f"{_DRAFT}/discard", drafts.discard, name="import_draft_discard"),
    path(_IMPORT, item.show, name="import"),
    path(f"{_IMPORT}/progress", item.progress, name="import_progress"),
    path(f"{_IMPORT}/sync", item.sync, name="import_sync"),
    path(f"{_IMPORT}/pause", item.pause, name="import_pause"),
    path(f"{_IMPORT}/resume", item.resume, name="import_resume"),
    path(f"{_IMPORT}/upload", item.upload, name="import_upload"),
    path(f"{_IMPORT}/mapping", edit.edit, name="import_mapping"),
    path(f"{_IMPORT}/versions", versions.index, name="import_versions"),
    path(f"{_IMPORT}/rollback", versions.rollback, name="import_rollback"),
    path(f"{_IMPORT}/settings", settings.change, name="import_settings"),
    path(f"{_IMPORT}/delete", settings.delete, name="import_delete"),
    path("runs", run_listing.index, name="runs"),
    path(_RUN, run.show, name="run"),
    path(f"{_RUN}/progress", run.progress, name="run_progress"),
    path(f"{_RUN}/changes", run_changes.index, name="run_changes"),
    path(f"{_RUN}/changes.csv", run_changes.download, name="run_changes_download"),
    path(f"{_RUN}/issues.csv", issues.download, name="run_issues_download"),
    path(f"{_RUN}/issues/<int:ordinal>/row", issues.show_record, name="run_issue_record"),
    path(f"{_RUN}/approve", decision.approve, name="run_approve"),
    path(f"{_RUN}/discard", decision.discard, name="run_discard"),
]
