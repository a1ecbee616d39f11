"""The day that all pages show: set once, kept with the session until it is set back to now."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from grantline.web.requests import AS_OF, PageRequest
from grantline.web.session.views import own_path


@require_POST
def choose_day(request: PageRequest) -> HttpResponse:
    """Set the day (`as_of`, as `2026-11-07`), or go back to now where it is empty."""
    text, back = request.POST.get("as_of", "").strip(), redirect(own_path(request.POST.get("next", "")))
    if not text:
        request.session.pop(AS_OF, None)
        return back
    try:
        moment = datetime.combine(date.fromisoformat(text), time(), tzinfo=UTC)
    except ValueError:
        messages.error(request, "The day was not understood. Choose it from the calendar, or type 2026-11-07.")
        return back
    if moment > timezone.now():
        messages.warning(request, "This day has not come yet. Choose today or a day before.")
        return back
    request.session[AS_OF] = moment.isoformat()
    return back
