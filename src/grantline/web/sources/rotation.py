"""Rotating a data source's External ID: two buttons; what is shown is the data source's page."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from grantline.control.sources import external_ids
from grantline.web.requests import PageRequest


@require_POST
def rotate(request: PageRequest, source_id: str) -> HttpResponse:
    """Issue the next External ID."""
    source = external_ids.rotate(request.scope, source_id)
    messages.success(request, "The next External ID is issued. Reading goes on with the old one until it is proven.")
    return redirect("source", source.pk)


@require_POST
def cancel(request: PageRequest, source_id: str) -> HttpResponse:
    """Give up the next External ID."""
    source = external_ids.cancel_rotation(request.scope, source_id)
    messages.success(request, "The External ID stays as it was; the other one is never issued again.")
    return redirect("source", source.pk)
