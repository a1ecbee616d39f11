"""Two walls between organizations, each tried with the other one gone.

The first is the filter in `tenancy.scoped`, the second row-level security. Here are also the tests that
no table lacks the second, that nothing is shown by default, and that a connection that is kept, rolled
back or made anew never shows the organization before.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from grantline.control import isolation, tenancy
from grantline.control.isolation import walls
from grantline.control.isolation.base import as_owner
from grantline.control.models import AccountIndex, Application, DataSource, Import, Membership, Person, Run
from grantline.control.tenancy import Scope, acting_for, request_boundary, scoped, system_scope
from tests.integration.api.things import make_things
from tests.integration.web.people import Role, make_member

pytestmark = pytest.mark.integration


@dataclass
class House:
    scope: Scope
    ids: dict[str, str]


@pytest.fixture
def ours(db: Any) -> House:
    scope = make_member("Ours", Role.SUPER_ADMINISTRATOR)[1]
    return House(scope, make_things(scope, "Ours"))


@pytest.fixture
def theirs(db: Any) -> House:
    scope = make_member("Theirs", Role.SUPER_ADMINISTRATOR)[1]
    return House(scope, make_things(scope, "Theirs"))


def seen(table: str) -> set[str]:
    """The organizations whose rows of `table` the database shows now, with no filter at all."""
    column = "id" if table == "control_organization" else "organization_id"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT {column} FROM {table}")
        return {row[0] for row in cursor.fetchall()}


def tenant_tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(walls.TABLES_WITH_ORGANIZATION)
        return [row[0] for row in cursor.fetchall()]


@pytest.fixture
def no_second_wall(db: Any) -> Iterator[None]:
    """Row-level security is off, as for a database whose administrator has switched it off."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in tenant_tables():
            cursor.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    yield  # noqa: PT022 - the test's transaction is rolled back, and the walls stand again


def test_the_application_acts_as_a_role_that_owns_nothing(db: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolname, rolsuper, rolbypassrls, rolcanlogin,"
            " (SELECT count(*) FROM pg_class WHERE relowner = r.oid AND relpersistence = 'p')"
            " FROM pg_roles r WHERE rolname = current_user"
        )
        assert cursor.fetchone() == (isolation.ROLE, False, False, False, 0)


def test_every_table_with_an_organization_has_a_forced_wall(db: Any) -> None:
    tables = [*tenant_tables(), "control_organization"]
    assert {"control_datasource", "control_auditevent", "control_membership", "control_audithead"} <= set(tables)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity,"
            " (SELECT array_agg(concat_ws(' ', polname, polcmd, polpermissive, polroles = '{0}',"
            "                             polwithcheck IS NOT NULL)) FROM pg_policy WHERE polrelid = c.oid)"
            " FROM pg_class c WHERE c.relname = ANY(%s)",
            [tables],
        )
        found = {name: (forced, policies) for name, forced, policies in cursor.fetchall()}
    assert found == dict.fromkeys(tables, (True, [f"{walls.POLICY} * t t t"]))


@pytest.mark.parametrize(
    "damage",
    [
        "DROP POLICY only_the_organization_shown ON control_datasource",
        "ALTER TABLE control_run NO FORCE ROW LEVEL SECURITY",
    ],
)
def test_the_test_above_sees_a_wall_that_is_down(db: Any, damage: str) -> None:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(damage)
    with pytest.raises(AssertionError):
        test_every_table_with_an_organization_has_a_forced_wall(db)


def test_a_new_table_gets_its_wall_after_the_migrations(db: Any) -> None:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE control_new (id int, organization_id varchar(40))")
        with pytest.raises(AssertionError):
            test_every_table_with_an_organization_has_a_forced_wall(db)
        walls.raise_missing_walls(cursor)
    test_every_table_with_an_organization_has_a_forced_wall(db)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM control_new")  # the role may use it by default privileges
        assert cursor.fetchone() == (0,)


def test_nothing_is_shown_by_default(ours: House) -> None:
    with request_boundary():
        assert [table for table in [*tenant_tables(), "control_organization"] if seen(table)] == []


def test_the_second_wall_alone_shows_nothing_of_others(
    ours: House, theirs: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    with system_scope("what there is"):
        filled = {table for table in tenant_tables() if len(seen(table)) >= 2}
    assert {"control_datasource", "control_import", "control_run", "control_apitoken", "control_auditevent"} <= filled
    monkeypatch.setattr(tenancy, "scoped", lambda model, scope: model._default_manager.all())
    with acting_for(ours.scope):
        assert {table: seen(table) for table in filled} == dict.fromkeys(filled, {ours.scope.organization_id})
        assert seen("control_organization") == {ours.scope.organization_id}
        for model, name in ((DataSource, "source_id"), (Application, "application_id"), (Import, "import_id")):
            assert tenancy.get(model, ours.scope, ours.ids[name])
            with pytest.raises(tenancy.NotFound):
                tenancy.get(model, ours.scope, theirs.ids[name])


def test_the_first_wall_alone_shows_nothing_of_others(ours: House, theirs: House, no_second_wall: None) -> None:
    with acting_for(ours.scope):
        assert len(seen("control_datasource")) == 2  # the second wall is really down
        for model, name in (
            (DataSource, "source_id"),
            (Application, "application_id"),
            (Import, "import_id"),
            (Run, "run_id"),
        ):
            assert {row.organization_id for row in scoped(model, ours.scope)} == {ours.scope.organization_id}
            with pytest.raises(tenancy.NotFound):
                tenancy.get(model, ours.scope, theirs.ids[name])


def test_nothing_is_written_into_another_organization(ours: House, theirs: House) -> None:
    with acting_for(ours.scope):
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            Application.objects.create(organization_id=theirs.scope.organization_id, name="Planted", created_by="x")
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            Application.objects.filter(pk=ours.ids["application_id"]).update(
                organization_id=theirs.scope.organization_id
            )
        assert Application.objects.filter(pk=theirs.ids["application_id"]).update(name="Taken") == 0
        assert Application.objects.filter(pk=theirs.ids["application_id"]).delete()[0] == 0


def test_asking_for_others_rows_is_a_fault_not_an_empty_list(ours: House, theirs: House) -> None:
    with acting_for(ours.scope), pytest.raises(tenancy.OutsideTenant):
        scoped(DataSource, theirs.scope)
    with request_boundary(), pytest.raises(tenancy.OutsideTenant):
        scoped(DataSource, ours.scope)


def test_the_role_cannot_lower_the_walls(db: Any) -> None:
    for statement in (
        "ALTER TABLE control_datasource DISABLE ROW LEVEL SECURITY",
        "DROP POLICY only_the_organization_shown ON control_datasource",
        "TRUNCATE control_draft",
        "DELETE FROM control_issuedexternalid",
        "DELETE FROM django_migrations",
        "DROP TABLE control_draft",
    ):
        with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_a_rollback_shows_what_the_code_asked_for(ours: House, theirs: House) -> None:
    """The server takes a setting back that was made in a transaction; we make it again."""
    with acting_for(ours.scope):
        with pytest.raises(RuntimeError), transaction.atomic():  # noqa: PT012 - the rollback is the point
            isolation.show(theirs.scope.organization_id)
            raise RuntimeError
        assert seen("control_datasource") == {theirs.scope.organization_id}
        isolation.show(ours.scope.organization_id)
        with pytest.raises(IntegrityError), transaction.atomic(), acting_for(theirs.scope):
            Application.objects.create(organization_id=theirs.scope.organization_id, name="Theirs", created_by="twice")
        assert seen("control_datasource") == {ours.scope.organization_id}


@pytest.mark.django_db(transaction=True)
def test_a_new_connection_shows_what_the_old_one_did() -> None:
    ours, theirs = (make_member(name, Role.SUPER_ADMINISTRATOR)[1] for name in ("Ours", "Theirs"))
    with acting_for(ours):
        connection.close()
        assert seen("control_membership") == {ours.organization_id}
        with acting_for(theirs), transaction.atomic():
            assert seen("control_membership") == {theirs.organization_id}
        assert seen("control_membership") == {ours.organization_id}
    with request_boundary():
        connection.close()
        assert seen("control_membership") == set()
        assert shown_to_the_server() == ""


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_is_kept_never_shows_the_tenant_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests one after another on one connection, some of which break half way."""
    from grantline.web.middleware import SignedInScope

    people = [make_member(name, Role.SUPER_ADMINISTRATOR) for name in ("Ours", "Theirs")]
    pid = backend_pid()

    def broken(request: HttpRequest) -> HttpResponse:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1/0")
        return HttpResponse()

    def looking(request: HttpRequest) -> HttpResponse:
        return HttpResponse(",".join(seen("control_membership")))

    def streaming(request: HttpRequest) -> StreamingHttpResponse:
        return StreamingHttpResponse(",".join(seen("control_membership")) for _ in range(2))

    def ask(view: Any, user: Any) -> Any:
        request = HttpRequest()
        request.path, request.user, request.session = "/x", user, SessionStore()
        return SignedInScope(view)(request)

    with request_boundary():
        for user, scope in people * 2:
            with pytest.raises(Exception, match="division by zero"):
                ask(broken, user)
            assert shown_to_the_server() == ""
            assert ask(looking, user).content.decode() == scope.organization_id
            assert shown_to_the_server() == ""
            answer = ask(streaming, user)
            assert shown_to_the_server() == ""
            assert [part.decode() for part in answer.streaming_content] == [scope.organization_id] * 2
            assert shown_to_the_server() == ""
    assert backend_pid() == pid


def shown_to_the_server() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('grantline.organization')")
        return str(cursor.fetchone()[0])


def backend_pid() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def test_the_account_index_is_copied_under_the_role(ours: House, theirs: House, tmp_path: Path) -> None:
    """The publish path's temporary tables and COPY; another organization's index stays as it is."""
    from grantline.control.accounts.rules import update_index

    changed, removed = tmp_path / "changed.csv", tmp_path / "removed.csv"
    changed.write_text("u1,a@example.com,,A,a@example.com,,\nu2,,,B,,7,\n")
    removed.write_text("")
    for house in (ours, theirs):
        with acting_for(house.scope), transaction.atomic():
            update_index(Import.objects.get(pk=house.ids["import_id"]), changed, removed)
    people = sorted(Person.objects.values_list("organization_id", "value"))
    known = [(house.scope.organization_id, value) for house in (ours, theirs) for value in ("7", "a@example.com")]
    assert [place for place in people if place[1] != "anna@example.com"] == sorted(known)
    changed.write_text("")
    removed.write_text("u1\n")
    with acting_for(ours.scope), transaction.atomic():
        update_index(Import.objects.get(pk=ours.ids["import_id"]), changed, removed)
    keys = sorted(AccountIndex.objects.values_list("organization_id", "key"))
    assert keys == sorted(
        [(ours.scope.organization_id, "u2"), (theirs.scope.organization_id, "u1"), (theirs.scope.organization_id, "u2")]
    )


def test_jobs_see_the_organization_of_their_run_alone(
    ours: House, theirs: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    from grantline.jobs import run as runs

    noted: list[set[str]] = []
    monkeypatch.setattr(runs.Pass, "go", lambda _: noted.append(seen("control_datasource")))
    queued = Run.objects.create(
        organization_id=ours.scope.organization_id, of_import_id=ours.ids["import_id"], number=9, trigger="button"
    )
    with request_boundary():
        runs.carry_out(queued.pk)
        assert noted == [{ours.scope.organization_id}]
        assert isolation.shown() == isolation.NOBODY


def test_files_lie_in_a_folder_of_their_organization(ours: House, theirs: House) -> None:
    from grantline.control.lake import folder_of
    from grantline.control.models import Upload
    from grantline.jobs.fetching import upload_path
    from grantline.jobs.installation import spool_folder, upload_folder

    mine, others = (Import.objects.get(pk=house.ids["import_id"]) for house in (ours, theirs))
    for place in (spool_folder, upload_folder):
        assert place(mine.organization_id).name == mine.organization_id
        assert place(mine.organization_id) != place(others.organization_id)
        assert place(mine.organization_id).stat().st_mode & 0o077 == 0
    assert upload_path(Upload(organization_id=mine.organization_id)).parent.name == mine.organization_id
    folder = folder_of(mine)
    assert (folder.organization_id, folder.import_id) == (mine.organization_id, mine.pk)


def test_the_queues_locks_are_an_imports_own(ours: House, theirs: House) -> None:
    """A lock of the queue names an id that nobody can guess, so no organization can hold another's."""
    from procrastinate.contrib.django.models import ProcrastinateJob

    from grantline.jobs.tasks import defer_run

    for house in (ours, theirs):
        defer_run(Run.objects.select_related("of_import").get(pk=house.ids["run_id"]))
    ours_and_theirs = [f"run:{house.ids['run_id']}" for house in (ours, theirs)]
    jobs = ProcrastinateJob.objects.filter(queueing_lock__in=ours_and_theirs)
    locks = set(jobs.values_list("lock", "queueing_lock"))
    assert locks == {(f"import:{house.ids['import_id']}", f"run:{house.ids['run_id']}") for house in (ours, theirs)}


def test_metrics_name_nobody(ours: House, theirs: House) -> None:
    from prometheus_client import generate_latest

    from grantline.api.measures import registry

    with request_boundary():
        text = generate_latest(registry).decode()
    assert 'grantline_imports{state="held"} 2.0' in text
    for house in (ours, theirs):
        assert house.scope.organization_id not in text
        assert not any(identity in text for identity in house.ids.values())


def test_ids_cannot_be_guessed(db: Any) -> None:
    from django.apps import apps

    counted = {"AccountIndex", "RunIssue", "AuditHead"}  # never named in an address
    for model in apps.get_app_config("control").get_models():
        if model.__name__ in counted or model.__name__ == "IssuedExternalId":
            continue
        assert model._meta.pk is not None
        made = {model._meta.pk.get_default() for _ in range(50)}
        assert len(made) == 50, model.__name__
        assert all(len(identity.split("_", 1)[1]) == 26 for identity in made), model.__name__


def test_a_member_of_two_organizations_is_shown_one_at_a_time(ours: House, theirs: House) -> None:
    member = Membership.objects.get(organization_id=ours.scope.organization_id)
    Membership.objects.create(organization_id=theirs.scope.organization_id, user=member.user, role=Role.AUDITOR.value)
    with acting_for(ours.scope):
        assert member.user.memberships.count() == 1
