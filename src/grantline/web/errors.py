"""Pages for what went wrong: a title, what happened, what to do now.

In: a `GrantlineError`, or Django's own failures, which are worded here. Out: a page, or for htmx a
message that takes the place of nothing else.
"""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from grantline.errors import GrantlineError, NotAllowed, NotFound, answer
from grantline.web.requests import wants_part

TITLES: Final = {
    401: "Sign in first",
    403: "Your role does not allow this",
    404: "Not found",
    409: "Not possible at the moment",
    422: "Something in the request is not valid",
    502: "The bucket could not be read",
    503: "Grantline cannot do this at the moment",
}


def error_page(request: HttpRequest, error: GrantlineError) -> HttpResponse:
    """The page that says what `error` says, with its status."""
    status = answer(error).status
    template = "errors/part.html" if wants_part(request) else "errors/error.html"
    context = {"error": error, "status": status, "title": TITLES.get(status, "Something went wrong")}
    return render(request, template, context, status=status)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404: an address that no page has."""
    return error_page(
        request, NotFound("There is no such page.", remedy="Check the address, or start from the overview.")
    )


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    return error_page(request, NotAllowed())


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW: a form that was sent from another place, or by an old page."""
    return error_page(
        request,
        NotAllowed(
            "The form was not taken, because it did not come from this page or the page was too old.",
            remedy="Go back, load the page again and send the form once more. Cookies must be allowed.",
        ),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: a mistake of ours; the log has the details under the request's id.

    The page needs no database and no session, since one of them may be what failed.
    """
    context = {"request_id": getattr(request, "request_id", "")}
    return HttpResponse(render_to_string("errors/500.html", context), status=500)
