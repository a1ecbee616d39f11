"""Nobody reads a customer's things past `tenancy`: a walk over the code, not a review.

Three rules, each on the syntax tree of every module of `src/grantline`:
1. `Model.objects.<read>` of a model that belongs to an organization stands only in the places listed
   here, each with its reason; everybody else begins with `tenancy.scoped` or `tenancy.get`.
2. SQL that names a table of ours stands only in the places listed here.
3. `system_scope` is used only in the places listed here, and always with its reason as a literal text.
Making a row (`create`, `bulk_create`) is no read: it names its organization, and the database checks it.
A list that names a place that is gone is a failure too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps

ROOT = Path(__file__).parents[2] / "src" / "grantline"
MAKES_ROWS = {"create", "bulk_create"}

READS = {
    "control/tenancy.py:scoped": "the one helper",
    "control/imports/rules.py:due": "the schedule looks after every organization",
    "control/runs/rules.py:_claim": "a job names a run, whose organization is in it",
    "control/tokens/rules.py:scope_of_token": "a token comes in by its digest, before there is a scope",
    "jobs/cleaning.py:merge_histories": "the lake holds the files of every organization",
    "jobs/cleaning.py:forget_past": "retention is applied for every organization",
    "control/organizations/rules.py:_create_admin": "the command line makes the first member, before there is a scope",
    "control/single_sign_on/rules.py:is_any_set_up": "the sign-in page, before there is a scope",
    "control/single_sign_on/rules.py:find": "a provider's answer names its row, before there is a scope",
    "control/single_sign_on/rules.py:of_email": "the sign-in page, before there is a scope",
    "control/sources/checks.py:sources_to_probe": "the schedule proves the roles of every organization",
    "control/sources/checks.py:check_to_carry_out": "a job names a check, whose organization is in it",
    "control/sources/checks.py:_ask_again": "a role may be used by another organization's data source",
    "control/sources/external_ids.py:_claims": "a role may be used by another organization's data source",
    "control/sources/external_ids.py:_others": "a role must refuse the External IDs of every other organization",
    "control/sources/external_ids.py:_retire": "External IDs are kept when their data source is gone",
    "control/sources/external_ids.py:retire_all": "External IDs are kept when their data source is gone",
    "jobs/cleaning.py:_clean_lake": "the lake holds the files of every organization",
    "jobs/cleaning.py:clean_spool": "the spool holds the files of every organization",
    "jobs/cleaning.py:_remove_deleted_imports": "the lake holds the files of every organization",
    "jobs/recovery.py:_requeue_lost_runs": "a dead worker had runs of every organization",
    "cli/export.py:run": "the operator names an application, whose organization is in it",
    "control/backup/files.py:link_uploads": "a backup holds every organization",
    "control/backup/files.py:needed_folders": "a backup holds every organization",
    "jobs/recovery.py:_retry_stalled_jobs": "a dead worker had runs of every organization",
    "jobs/people.py:match_earlier_accounts": "the index holds the accounts of every organization",
    "jobs/people.py:_match": "follows an import that match_earlier_accounts found",
    "api/measures.py:_runs_by_state": "figures are sums over every organization",
    "api/measures.py:_imports_by_state": "figures are sums over every organization",
    "api/measures.py:_lateness": "figures are sums over every organization",
    "cli/sync.py:run": "the operator names an import, whose organization is in it",
}

SQL = {
    "control/accounts/rules.py": "COPY into the account index, which names the organization in each row",
    "control/people/matching.py": "matches a publish's accounts to people, of one organization in each statement",
    "control/backup/tables.py": "copies every table out, and into an empty database",
    "control/isolation/base.py": "asks whether the walls stand",
    "control/isolation/walls.py": "the walls themselves",
}

ACROSS = {
    "jobs/people.py:match_earlier_accounts",
    "api/measures.py:collect",
    "cli/audit.py:_organizations",
    "cli/export.py:run",
    "control/apps.py:_before_migrations",
    "cli/sync.py:run",
    "control/backup/rules.py:_snapshot",
    "control/backup/tables.py:load_tables",
    "control/backup/tables.py:require_empty",
    "control/imports/rules.py:due",
    "control/organizations/members.py:may_have_link",
    "control/organizations/rules.py:create_admin",
    "control/organizations/rules.py:scope_of",
    "control/runs/rules.py:claim",
    "control/single_sign_on/rules.py:_is_elsewhere",
    "control/single_sign_on/rules.py:find",
    "control/single_sign_on/rules.py:is_any_set_up",
    "control/single_sign_on/rules.py:of_email",
    "control/sources/checks.py:_ask_again",
    "control/sources/checks.py:check_to_carry_out",
    "control/sources/checks.py:sources_to_probe",
    "control/sources/external_ids.py:others_to_refuse",
    "control/tokens/rules.py:scope_of_token",
    "jobs/cleaning.py:clean_lake",
    "jobs/cleaning.py:clean_spool",
    "jobs/cleaning.py:forget_past",
    "jobs/cleaning.py:merge_histories",
    "jobs/notices.py:tell",
    "jobs/recovery.py:recover_runs",
}


def tenant_models() -> set[str]:
    """Every model of ours whose table names an organization."""
    models = apps.get_app_config("control").get_models()
    return {
        model.__name__ for model in models if any(field.attname == "organization_id" for field in model._meta.fields)
    }


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).as_posix()
        if "/migrations/" not in name:
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def placed(name: str, tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Every node, with the innermost function it stands in: `control/runs/rules.py:claim`."""

    def walk(node: ast.AST, place: str) -> Iterator[tuple[str, ast.AST]]:
        for child in ast.iter_child_nodes(node):
            inner = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            at = f"{name}:{child.name}" if inner else place  # type: ignore[union-attr] # inner has a name
            yield at, child
            yield from walk(child, at)

    yield from walk(tree, f"{name}:")


def reads(node: ast.AST, names: set[str]) -> bool:
    """Whether `node` is `Model.objects` (or `_default_manager`, …) that goes on to anything but making rows."""
    if not (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute)):
        return False
    manager = node.value
    owner = manager.value.id if isinstance(manager.value, ast.Name) else getattr(manager.value, "attr", "")
    if manager.attr in ("_default_manager", "_base_manager"):
        return node.attr not in MAKES_ROWS
    return manager.attr == "objects" and owner in names and node.attr not in MAKES_ROWS


def found_reads(sources: Iterator[tuple[str, ast.Module]], names: set[str]) -> set[str]:
    return {place for name, tree in sources for place, node in placed(name, tree) if reads(node, names)}


def test_only_the_helper_reads_a_customers_things() -> None:
    found = found_reads(modules(), tenant_models())
    assert sorted(found - READS.keys()) == [], "begin with tenancy.scoped(Model, scope) or tenancy.get(…)"
    assert sorted(READS.keys() - found) == [], "these places read nothing any more: take them off the list"


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    return DataSource.objects.filter(pk=1)",
        "def f():\n    return models.DataSource.objects.all()",
        "def f():\n    rows = Run.objects.select_related('x').get(pk=1)",
        "def f():\n    return type(item)._default_manager.filter(pk=1)",
    ],
)
def test_the_walk_sees_a_read(text: str) -> None:
    assert found_reads(iter([("new.py", ast.parse(text))]), {"DataSource", "Run"}) == {"new.py:f"}


def test_the_walk_knows_the_tenants() -> None:
    assert {
        "DataSource",
        "Application",
        "Import",
        "Run",
        "RunIssue",
        "Version",
        "ApiToken",
        "AuditEvent",
    } <= tenant_models()
    assert {"Membership", "IssuedExternalId", "AccountIndex", "Upload", "Draft"} <= tenant_models()


def test_sql_on_our_tables_stands_in_few_places() -> None:
    found = {
        name
        for name, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "control_" in node.value
        if name in SQL or any(word in node.value.upper() for word in ("SELECT", "FROM", "INTO", "UPDATE", "TABLE"))
    }
    assert sorted(found - SQL.keys()) == []
    assert sorted(SQL.keys() - found) == []


def test_work_across_organizations_is_listed_and_says_why() -> None:
    found = set()
    for name, tree in modules():
        for place, node in placed(name, tree):
            called = getattr(getattr(node, "func", None), "id", "") or getattr(getattr(node, "func", None), "attr", "")
            if isinstance(node, ast.Call) and called in ("system_scope", "as_owner") and name != "control/tenancy.py":
                found.add(place)
                assert called == "as_owner" or isinstance(node.args[0], ast.Constant), f"{place}: say why, in words"
    assert sorted(found - ACROSS) == []
    assert sorted(ACROSS - found) == []


def test_nobody_else_tells_the_database_whose_rows_to_show() -> None:
    allowed = {"control/tenancy.py", "control/isolation/base.py", "control/isolation/walls.py", "control/apps.py"}
    allowed.add("control/backup/tables.py")
    found = set()
    for name, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                whole = {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
                if any(part.startswith("grantline.control.isolation") for part in whole):
                    found.add(name)
    assert sorted(found - allowed - {"control/isolation/__init__.py"}) == []
