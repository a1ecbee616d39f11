"""The wizard that connects a bucket, in four steps that can each be left and found again.

In: the data source's row, which holds everything, External ID included, from the first moment. Out: a page
per step; every answer is stored before the next step opens, or nothing is stored and the errors stand
beside the fields with what was typed.
"""

from __future__ import annotations

from typing import Any, Final

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from grantline.aws.buckets import prefix_note
from grantline.control.organizations.roles import Permission
from grantline.control.sources import rules
from grantline.control.sources.models import DataSource
from grantline.errors import InputInvalid
from grantline.jobs.installation import service_role_arn
from grantline.jobs.requests import start_check
from grantline.web.forms import Form
from grantline.web.requests import PageRequest
from grantline.web.sources.checking import panel_context
from grantline.web.sources.policies import policy_view
from grantline.web.sources.states import place, state_sentence
from grantline.web.sources.steps import STEPS, resume_step, step_items
from grantline.web.trail import crumbs

FIELDS: Final = {
    "role": ("bucket", "prefix", "kms_key_arn"),
    "connect": ("role_arn", "bucket", "prefix", "region", "bucket_owner"),
}
SWITCHES: Final = {"role": ("versioned",), "connect": ()}
PREFIX_HINT: Final = "Only files whose names begin so, such as exports/. Empty: the whole bucket."
MISSING: Final = {
    "role_arn": "Paste the role's ARN. It is on the role's page in the IAM console, beside 'ARN'.",
    "bucket": "Name the bucket that the files are in.",
}


@require_GET
def resume(request: PageRequest, source_id: str) -> HttpResponse:
    """The step where setting up goes on."""
    source = rules.read(request.scope, source_id)
    return redirect("source_setup_step", source.pk, resume_step(source))


@require_http_methods(["GET", "POST"])
def step(request: PageRequest, source_id: str, step: str) -> HttpResponse:
    """One step; POST stores what the step asks for."""
    if step not in STEPS:
        raise Http404
    source = rules.read(request.scope, source_id)
    form = Form.of(source, [*FIELDS.get(step, ()), *SWITCHES.get(step, ())])
    if request.method == "POST":
        if step not in FIELDS:
            raise Http404
        form = Form.typed(request.POST, FIELDS[step], SWITCHES[step])
        try:
            return _take(request, source, step, form)
        except InputInvalid as error:
            form.refuse(error)
    context = {**_context(request, source, step), "form": form}
    template = f"sources/setup_{step.replace('-', '_')}.html"
    return render(request, template, context, status=form.status)


def _take(request: PageRequest, source: DataSource, step: str, form: Form) -> HttpResponse:
    """Store a step's values and go on. Raises: `InputInvalid`; then nothing is stored."""
    if step == "role":
        rules.change(request.scope, source.pk, form.values)
        chosen = request.POST.get("form", "")
        address = reverse("source_setup_step", args=[source.pk, "role"])
        return redirect(f"{address}?form={chosen}#policies" if chosen.isalpha() else f"{address}#policies")
    checked = "check" in request.POST
    missing = {name: text for name, text in MISSING.items() if checked and not form.values[name].strip()}
    if missing:
        raise InputInvalid(next(iter(missing.values())), fields=missing)
    rules.change(request.scope, source.pk, form.values)
    if checked:
        start_check(request.scope, source.pk)
    return redirect(reverse("source_setup_step", args=[source.pk, "connect"]) + ("#checks" if checked else ""))


def _context(request: PageRequest, source: DataSource, step: str) -> dict[str, Any]:
    address = reverse("source_setup_step", args=[source.pk, "role"])
    policies = policy_view(source, request.GET.get("form", ""))
    return {
        **panel_context(request, source),
        "page_title": f"{STEPS[step]}, {source.name}",
        "breadcrumbs": crumbs(("Data sources", "sources"), (source.name, "source", source.pk), here=STEPS[step]),
        "step": step,
        "steps": step_items(source, step),
        "sentence": state_sentence(source),
        "place": place(source),
        "prefix_hint": prefix_note(source.prefix) or PREFIX_HINT,
        "policies": policies,
        "policy_tabs": policies.tabs(address),
        "service_role_arn": service_role_arn(),
        "may_import": request.scope.may(Permission.IMPORT_WRITE),
    }
