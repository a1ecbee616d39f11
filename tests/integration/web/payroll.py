"""An application with real versions for tests of pages: files by hand, carried out here as a worker would."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from grantline.control.applications import rules as applications
from grantline.control.applications.models import Application
from grantline.control.imports.models import Import
from grantline.control.runs.models import Run
from grantline.control.tenancy import Scope
from grantline.jobs.run import carry_out
from grantline.jobs.uploads import take_upload

HEAD = "User ID,Email Address,Full Name,User Status,Groups\n"
HOSTILE = "<script>alert(1)</script>\u202egpj"


def file_of(*users: str, extra: str = "") -> bytes:
    """One row per user: an account in the groups Readers and Approvers."""
    rows = "".join(f'{user},{user}@example.com,Person {user},Active,"Readers,Approvers"\n' for user in users)
    return (HEAD + rows + extra).encode()


@dataclass
class Payroll:
    """The application, its import, and its runs in their order."""

    scope: Scope
    application: Application
    item: Import
    runs: list[Run]

    def upload(self, content: bytes) -> Run:
        """One more file, carried out."""
        _, run = take_upload(self.scope, self.application.pk, [content], "payroll.csv", import_id=self.item.pk)
        carried_out(run)
        self.runs.append(run)
        return run

    def path(self, rest: str = "") -> str:
        """The address of a page of the application."""
        return f"/applications/{self.application.pk}{rest}"


def carried_out(run: Run) -> None:
    """Carry `run` out. Its temporary tables go with its transaction, which in a test is the test's own; so
    they are dropped here, or the next run would find them."""
    carry_out(run.pk)
    run.refresh_from_db()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS index_changed, index_removed")


def make_payroll(scope: Scope, content: bytes | None = None) -> Payroll:
    """Payroll with one published run."""
    application = applications.create(scope, "Payroll")
    content = content or file_of("u1", "u2", "u/3", extra=f"u4,u4@example.com,{HOSTILE},Active,Readers\n")
    item, run = take_upload(scope, application.pk, [content], "payroll.csv")
    carried_out(run)
    return Payroll(scope, application, item, [run])
