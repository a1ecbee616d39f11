"""The page of notifications: who gets them by e-mail, and the webhooks they are sent to.

In: a Super Administrator's choices. Out: stored settings. A webhook's secret stands in the answer to the form
that made it and nowhere else.
"""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from grantline.control.notices import rules
from grantline.control.notices.review import list_notices
from grantline.control.organizations.roles import Permission
from grantline.errors import InputInvalid
from grantline.jobs.notices import try_endpoint
from grantline.web.forms import Form
from grantline.web.requests import PageRequest
from grantline.web.trail import crumbs

SHOWN: Final = 20


@require_http_methods(["GET", "POST"])
def index(request: PageRequest) -> HttpResponse:
    """The page; POST stores who gets e-mail."""
    request.scope.require(Permission.MEMBER_WRITE)
    row = rules.read_settings(request.scope)
    form = Form({"more_emails": ", ".join(row.more_emails)})
    if request.method == "POST":
        form = Form.typed(request.POST, ("more_emails",))
        try:
            rules.change_settings(
                request.scope,
                {
                    "email_owners": "email_owners" in request.POST,
                    "email_super_administrators": "email_super_administrators" in request.POST,
                    "more_emails": form.values["more_emails"].replace(",", " ").split(),
                },
            )
        except InputInvalid as error:
            form.refuse(error)
        else:
            messages.success(request, "Saved.")
            return redirect("notifications")
    return _page(request, form)


@require_POST
def add(request: PageRequest) -> HttpResponse:
    """A new webhook; its secret is shown this once."""
    form = Form.typed(request.POST, ("url",))
    try:
        _, secret = rules.add_endpoint(request.scope, form.values["url"])
    except InputInvalid as error:
        form.refuse(error)
        return _page(request, form)
    answer = _page(request, Form({}), secret=secret)
    answer["Cache-Control"] = "no-store"
    return answer


@require_POST
def remove(request: PageRequest, webhook_id: str) -> HttpResponse:
    """Send nothing to it any more."""
    rules.remove_endpoint(request.scope, webhook_id)
    messages.success(request, "The webhook was removed.")
    return redirect("notifications")


@require_POST
def test(request: PageRequest, webhook_id: str) -> HttpResponse:
    """Send a test event now."""
    endpoint = try_endpoint(request.scope, webhook_id)
    if endpoint.failed_at and (endpoint.delivered_at is None or endpoint.failed_at > endpoint.delivered_at):
        messages.error(request, f"The test event was not taken: {endpoint.failure}")
    else:
        messages.success(request, "The test event was taken.")
    return redirect("notifications")


def _page(request: PageRequest, form: Form, **more: Any) -> HttpResponse:
    row = rules.read_settings(request.scope)
    if "more_emails" not in form.values:
        form.values["more_emails"] = ", ".join(row.more_emails)
    context = {
        "page_title": "Notifications",
        "breadcrumbs": crumbs(("Settings", "settings"), here="Notifications"),
        "form": form,
        "row": row,
        "endpoints": list(rules.list_endpoints(request.scope)),
        "notices": list(list_notices(request.scope)[:SHOWN]),
        **more,
    }
    return render(request, "settings/notifications.html", context, status=form.status)
