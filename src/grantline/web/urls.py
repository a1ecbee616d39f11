"""Addresses of the pages; those of applications, imports and runs are in `urls_catalog`."""

from __future__ import annotations

from django.urls import include, path
from django.views.generic import RedirectView

from grantline.web.audit import views as audit
from grantline.web.overview import views as overview
from grantline.web.people import views as people
from grantline.web.search import views as search
from grantline.web.session import as_of, confirm, set_password, single_sign_on
from grantline.web.session import views as session
from grantline.web.settings import limits, members, notifications, security, set_up, sign_on, tokens
from grantline.web.settings import views as settings
from grantline.web.sources import browser, checking, listing, page, rotation, wizard

_SOURCES = "integrations/data-sources"
_SOURCE = f"{_SOURCES}/<str:source_id>"

urlpatterns = [
    path("", overview.show, name="overview"),
    path("sign-in", session.sign_in, name="sign_in"),
    path("sign-in", session.sign_in, name="account_login"),  # the name that django-allauth goes back to
    path("sign-in/second-step", session.second, name="mfa_authenticate"),
    path("sign-in/second-step/options", session.second_options, name="second_step_options"),
    path("sign-in/passkey", session.passkey, name="sign_in_passkey"),
    path("sign-in/sso", single_sign_on.choose, name="sign_on_choose"),
    path("sign-in/sso/<str:provider_id>", single_sign_on.start, name="sign_on_start"),
    path("sign-in/sso/<str:provider_id>/callback", single_sign_on.callback, name="openid_connect_callback"),
    path("set-password/<str:text>", set_password.index, name="set_password"),
    path("confirm/options", confirm.options, name="confirm_options"),
    path("sign-out", session.sign_out, name="sign_out"),
    path("as-of", as_of.choose_day, name="as_of"),
    path("search", search.show, name="search"),
    path("people", people.index, name="people"),
    path("people/<str:person_id>", people.show, name="person"),
    path("people/<str:person_id>/report.csv", people.report, name="person_report"),
    path("integrations", RedirectView.as_view(pattern_name="sources"), name="integrations"),
    path(_SOURCES, listing.index, name="sources"),
    path(_SOURCE, page.show, name="source"),
    path(f"{_SOURCE}/setup", wizard.resume, name="source_setup"),
    path(f"{_SOURCE}/setup/<str:step>", wizard.step, name="source_setup_step"),
    path(f"{_SOURCE}/check", checking.start, name="source_check"),
    path(f"{_SOURCE}/check/panel", checking.panel, name="source_check_panel"),
    path(f"{_SOURCE}/bucket", browser.show, name="source_bucket"),
    path(f"{_SOURCE}/external-id/rotate", rotation.rotate, name="source_rotate"),
    path(f"{_SOURCE}/external-id/cancel", rotation.cancel, name="source_rotation_cancel"),
    path(f"{_SOURCE}/edit", page.edit, name="source_edit"),
    path(f"{_SOURCE}/delete", page.delete, name="source_delete"),
    path("audit-log", audit.index, name="audit_log"),
    path("audit-log/export", audit.export, name="audit_log_export"),
    path("audit-log/verify", audit.verify, name="audit_log_verify"),
    path("settings", settings.index, name="settings"),
    path("settings/limits", limits.show, name="limits"),
    path("settings/notifications", notifications.index, name="notifications"),
    path("settings/notifications/webhooks", notifications.add, name="webhook_add"),
    path("settings/notifications/webhooks/<str:webhook_id>/remove", notifications.remove, name="webhook_remove"),
    path("settings/notifications/webhooks/<str:webhook_id>/test", notifications.test, name="webhook_test"),
    path("settings/tokens", tokens.index, name="tokens"),
    path("settings/tokens/<str:token_id>/revoke", tokens.revoke, name="token_revoke"),
    path("settings/members", members.index, name="members"),
    path("settings/members/<str:member_id>/role", members.change_role, name="member_role"),
    path("settings/members/<str:member_id>/remove", members.remove, name="member_remove"),
    path("settings/members/<str:member_id>/link", members.link, name="member_link"),
    path("settings/members/<str:member_id>/reset", members.reset, name="member_reset"),
    path("settings/roles", settings.roles, name="roles"),
    path("settings/sign-on", sign_on.index, name="sign_on"),
    path("settings/sign-on/delete", sign_on.delete, name="sign_on_delete"),
    path("settings/security", security.index, name="security"),
    path("settings/security/password", security.password, name="password"),
    path("settings/security/set-up", set_up.choose, name="second_step_set_up"),
    path("settings/security/set-up/app", set_up.app, name="second_step_app"),
    path("settings/security/set-up/passkey", set_up.passkey, name="second_step_passkey"),
    path("settings/security/set-up/passkey/options", set_up.passkey_options, name="second_step_passkey_options"),
    path("settings/security/second-steps/<int:step_id>/remove", security.remove, name="second_step_remove"),
    path("settings/security/recovery-codes", security.renew_codes, name="recovery_codes"),
    path("settings/security/sessions/<int:session_id>/end", security.end_session, name="session_end"),
    path("settings/security/sessions/end", security.end_sessions, name="sessions_end"),
    path("settings/profile", settings.profile, name="profile"),
    path("", include("grantline.web.urls_catalog")),
]
