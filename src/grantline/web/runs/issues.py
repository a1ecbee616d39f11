"""A run's issues: grouped by code, row by row, and as a download.

In: a run and, from the query, a code. Out: groups with their number and what they mean; a page of rows;
on request the row of the file that an issue is about, masked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from grantline.control.audit.rules import Action, record
from grantline.control.runs import rules
from grantline.control.runs.models import ISSUES_KEPT, Run, RunIssue
from grantline.mapping.originals import COLUMNS_KEPT, HEADER_CHARACTERS
from grantline.web.applications.trail import crumb, to_import
from grantline.web.downloads import csv_response
from grantline.web.requests import PageRequest, wants_part

PAGE_ROWS = 50
_HEADS = ("code", "severity", "file", "row", "line", "cell", "column", "value", "message", "remedy")

MEANINGS = {
    "row_width": "Rows with more or fewer cells than the header",
    "row_key_missing": "Rows without what identifies them",
    "row_key_duplicate": "Rows that repeat one that came before",
    "value_invalid": "Values that are not what their column should hold",
    "reference_unknown": "Rows that name something that is nowhere listed",
}


@dataclass(frozen=True)
class IssueGroup:
    """The issues of one code."""

    code: str
    meaning: str
    count: int


@dataclass(frozen=True)
class RecordCell:
    """One cell of the row; `is_own`: the issue is about it."""

    column: str
    text: str
    is_own: bool


@require_GET
def download(request: PageRequest, run_id: str) -> StreamingHttpResponse:
    """Every kept issue of the run as CSV."""
    run = rules.read(request.scope, run_id)
    exported = {"what": "issues", "format": "csv"}
    record(request.scope, Action.CATALOG_EXPORT, run, name=run.of_import.title, after=exported)
    return csv_response(f"issues-run-{run.number}-{run.pk}", _HEADS, _rows(request, run))


def _rows(request: PageRequest, run: Run) -> Iterator[tuple[Any, ...]]:
    yield from rules.list_issues(request.scope, run).values_list(*_HEADS).iterator(chunk_size=1000)


@require_GET
def show_record(request: PageRequest, run_id: str, ordinal: int) -> HttpResponse:
    """The row that an issue is about, as it stands in the file; alone where htmx asks, else as a page."""
    run = rules.read(request.scope, run_id)
    issue = rules.read_record(request.scope, run, ordinal)
    cells = issue.record or []
    context = {
        "page_title": "Row of the file",
        "breadcrumbs": [
            *to_import(run.of_import),
            crumb(f"Run {run.number:,}", reverse("run", args=[run.pk])),
            crumb("Row"),
        ],
        "run": run,
        "issue": issue,
        "cells": [RecordCell(column, text, column == issue.column[:HEADER_CHARACTERS]) for column, text in cells],
        "is_cut": len(cells) == COLUMNS_KEPT,
    }
    return render(request, "runs/_record.html" if wants_part(request) else "runs/record.html", context)


def issue_groups(run: Run) -> list[IssueGroup]:
    """The run's codes with their numbers, the most frequent first."""
    return groups_of(run.issue_counts)


def groups_of(issue_counts: dict[str, int]) -> list[IssueGroup]:
    """`issue_counts` as groups, the most frequent first."""
    groups = [IssueGroup(code, MEANINGS.get(code, code), count) for code, count in issue_counts.items()]
    return sorted(groups, key=lambda group: (-group.count, group.code))


def issue_page(request: PageRequest, run: Run) -> dict[str, Any]:
    """`{page, code, kept, total}`: one page of the issues of the chosen code, or of all."""
    code = request.GET.get("code", "")
    code = code if code in run.issue_counts else ""
    page: Page[RunIssue] = Paginator(rules.list_issues(request.scope, run, code), PAGE_ROWS).get_page(
        request.GET.get("page")
    )
    return {"page": page, "code": code, "kept": ISSUES_KEPT, "total": sum(run.issue_counts.values())}
