"""Setting a password with a link that a Super Administrator has passed on.

In: the link's text. Out: a password, and the way to the sign-in page. A link works once, for three days;
one that is wrong, used or too old is answered alike. A second step is still asked for afterwards.
"""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from grantline.control.organizations.members import end_sessions, set_password, user_of_link
from grantline.control.organizations.rules import scope_of
from grantline.errors import InputInvalid
from grantline.web.forms import Form
from grantline.web.requests import client_address


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def index(request: HttpRequest, text: str) -> HttpResponse:
    """The form; POST stores the password."""
    user = user_of_link(text)
    scope = scope_of(user, via="link", address=client_address(request)) if user else None
    if user is None or scope is None:
        return render(request, "account/link_over.html", status=410)
    form = Form({"password": ""})
    if request.method == "POST":
        try:
            set_password(scope, user, request.POST.get("password", "")[:1024])
        except InputInvalid as error:
            form.refuse(error)
        else:
            end_sessions(user)
            messages.success(request, "Your password is set. Sign in with it.")
            return redirect("sign_in")
    return render(request, "account/set_password.html", {"form": form, "email": user.email}, status=form.status)
