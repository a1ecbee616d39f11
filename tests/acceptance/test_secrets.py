"""Canaries pushed through a running Grantline, and a search for them in everything it writes.

A secret (password, token, key) may be in no output at all. A customer's value may be in answers and
pages, but in no log. One story fills one installation; the tests look at what it left behind.
"""

from __future__ import annotations

import http.cookiejar
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import ministack
from tests.acceptance.processes import Serve, grantline
from tests.ministack import SERVICE_ROLE_ARN, MiniStack

pytestmark = pytest.mark.acceptance

EMAIL = "admin@example.com"
PASSWORD = "canary-password-kestrel-41"
WRONG_PASSWORD = "canary-wrong-password-osprey-42"
WRONG_TOKEN = "glt_canarywrongtokenharrier43aaaaaaaaaaaaaaaaaa"
SECRET_KEY = "canary-secret-key-merlin-44-" + "k" * 40
BUCKET = "example-exports"
KEY = "access/canarykey-falcon.csv"
BROKEN_KEY = "access/canarybroken-buzzard.csv"
ADDRESS = "canary.person.kite@example.com"
NAME = "Canarina Goshawk"
VALUES = (ADDRESS, NAME, "canarykey-falcon", "canarybroken-buzzard", "canary-cell-sparrow")
HEADER = "User ID,Name,Email Address,Resource Type,Resource Name,Entitlement\n"
ROW = "{0},{1},{2},Ledger,{3},Viewer\n"
NOT_SEARCHED = ("secret_key", "postgres", "lake", "spool", "uploads")
TABLES_WITH_VALUES = ("control_runissue", "control_accountindex", "control_person")
OVER = ("unchanged", "published", "failed", "held", "discarded")


@dataclass
class Story:
    """What was pushed through and what came out."""

    serve: Serve
    token: str
    secrets: dict[str, str]
    answers: dict[str, str] = field(default_factory=dict)
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    issues: list[dict[str, Any]] = field(default_factory=list)
    checks: dict[str, dict[str, Any]] = field(default_factory=dict)
    output: str = ""
    database_log: str = ""

    def ask(
        self, name: str, path: str, *, method: str = "GET", body: Any = None, token: str | None = None
    ) -> tuple[int, str]:
        """One call; the answer's headers and text are kept under `name`."""
        request = urllib.request.Request(
            self.serve.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token or self.token}", "Content-Type": "application/json"},
        )
        status, text = opened(urllib.request.build_opener(), request)
        self.answers[name] = text
        return status, text

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One call of the API that must succeed; its answer is not kept."""
        status, text = self.ask("", "/api/v1" + path, method=method, body=body)
        del self.answers[""]
        assert status < 300, text
        return json.loads(text.split("\r\n\r\n", 1)[1])


def opened(opener: urllib.request.OpenerDirector, request: Any) -> tuple[int, str]:
    """Status, and headers and body as one text."""
    try:
        with opener.open(request, timeout=90) as answer:
            return answer.status, f"{answer.headers.as_string()}\r\n\r\n{answer.read().decode(errors='replace')}"
    except urllib.error.HTTPError as error:
        return error.code, f"{error.headers.as_string()}\r\n\r\n{error.read().decode(errors='replace')}"


def customer_file(canary_rows: int) -> bytes:
    """Sixty good rows, one with the canaries, and two that are refused and hold canaries too."""
    rows = [ROW.format(f"U{n:03d}", f"Person {n}", f"u{n}@example.com", f"L{n % 5}") for n in range(60)]
    rows += [ROW.format(f"C{n}", NAME, "second." * n + ADDRESS, "canary-cell-sparrow") for n in range(canary_rows)]
    rows += [f"W1,{NAME},{ADDRESS},Ledger,canary-cell-sparrow,Viewer,too,wide\n", ROW.format("", NAME, ADDRESS, "L1")]
    return (HEADER + "".join(rows)).encode()


def sign_in(story: Story, name: str, password: str) -> None:
    """Sign in as a browser does."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    _, page = opened(opener, story.serve.url + "/sign-in")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token is not None
    form = urllib.parse.urlencode({"csrfmiddlewaretoken": token[1], "email": EMAIL, "password": password})
    request = urllib.request.Request(
        story.serve.url + "/sign-in", data=form.encode(), headers={"Referer": story.serve.url + "/sign-in"}
    )
    status, story.answers[name] = opened(opener, request)
    assert status < 500


def connect(story: Story, stack: MiniStack, name: str, *, refuses: bool) -> str:
    """A data source, checked; its id."""
    path = f"/data-sources/{story.call('POST', '/data-sources', {'name': name})['id']}"
    story.call("PATCH", path, {"bucket": BUCKET, "prefix": "access/"})
    made = story.call("GET", path + "/policies")
    trust = made["trust_policy"]
    if refuses:
        trust = json.loads(json.dumps(trust).replace("grantline-service", "somebody-else"))
    role = stack.make_role(f"reader-{name}", trust=trust, permissions=made["permission_policy"])
    story.call("PATCH", path, {"role_arn": role})
    story.checks[name] = story.call("POST", path + "/verify")
    return path.rsplit("/", 1)[1]


def run(story: Story, name: str, import_id: str) -> None:
    """Sync, and wait for the run's end."""
    found = story.call("POST", f"/imports/{import_id}/sync")
    deadline = time.monotonic() + 60
    while found["state"] not in OVER:
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
        found = story.call("GET", f"/runs/{found['id']}")
    story.runs[name] = found


@contextmanager
def refusing(data_dir: Path, table: str) -> Iterator[None]:
    """Have PostgreSQL refuse every new row of a table: its error tells the row and the statement."""
    lines = (data_dir / "postgres" / "postmaster.pid").read_text().splitlines()
    with psycopg.connect(host=lines[4], port=lines[3], user="postgres", dbname="grantline", autocommit=True) as server:
        server.execute(f"ALTER TABLE {table} ADD CONSTRAINT canary_refused CHECK (false) NOT VALID")
        yield
        server.execute(f"ALTER TABLE {table} DROP CONSTRAINT canary_refused")


def live_through(story: Story, stack: MiniStack) -> None:
    """Everything in which a canary could slip out."""
    sign_in(story, "wrong password", WRONG_PASSWORD)
    sign_in(story, "right password", PASSWORD)
    assert story.ask("wrong token", "/api/v1/organization", token=WRONG_TOKEN)[0] == 401
    assert story.ask("not found", "/api/v1/runs/run_nothing")[0] == 404
    assert story.ask("bad body", "/api/v1/data-sources", method="POST", body={"nonsense": 1})[0] >= 400
    webhook = story.call("POST", "/webhooks", {"url": "http://127.0.0.1:9/hook"})
    story.secrets["webhook secret"] = webhook["secret"]
    story.ask("webhook test", f"/api/v1/webhooks/{webhook['id']}/test", method="POST", body={})

    client = stack.client("s3")
    client.put_object(Bucket=BUCKET, Key=KEY, Body=customer_file(1))
    client.put_object(Bucket=BUCKET, Key=BROKEN_KEY, Body=b"PK\x03\x04" + ADDRESS.encode() * 20)
    source = connect(story, stack, "good", refuses=False)
    connect(story, stack, "refused", refuses=True)
    application = story.call("POST", "/applications", {"name": "Payments"})["id"]
    imports = {
        key: story.call("POST", f"/applications/{application}/imports", {"data_source_id": source, "key": key})["id"]
        for key in (KEY, BROKEN_KEY)
    }
    run(story, "published", imports[KEY])
    story.issues = story.call("GET", f"/runs/{story.runs['published']['id']}/issues")["items"]
    run(story, "failed", imports[BROKEN_KEY])
    client.put_object(Bucket=BUCKET, Key=KEY, Body=customer_file(2))
    for table in TABLES_WITH_VALUES:
        with refusing(story.serve.data_dir, table):
            run(story, table, imports[KEY])
    for path in ("/metrics", "/readyz", "/healthz", "/api/v1/audit-events/export", "/api/v1/runs", "/api/v1/imports"):
        status, text = story.ask(path, path)
        assert status == 200, text


@pytest.fixture(scope="module", params=["json", "text"])
def story(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    data_dir = tmp_path_factory.mktemp("secrets") / "data"
    with ministack.running() as stack:
        given = stack.service_environment()
        stack.make_bucket(BUCKET, versioned=True)
        more = {
            **given,
            "GRANTLINE_SECRET_KEY": SECRET_KEY,
            "GRANTLINE_LOG_FORMAT": request.param,
            "GRANTLINE_AWS_ENDPOINT_URL": stack.endpoint_url,
            "GRANTLINE_SERVICE_ROLE_ARN": SERVICE_ROLE_ARN,
            "GRANTLINE_CHECK_WAIT_SECONDS": "0",
            "GRANTLINE_ALLOW_PRIVATE_WEBHOOKS": "true",
        }
        serve = Serve(data_dir, **more)
        try:
            serve.wait_until_ready()
            words = ("--organization", "Example Corp", "--email", EMAIL, "--password-stdin")
            admin = grantline("create-admin", *words, data_dir=data_dir, given=PASSWORD + "\n", **more)
            assert admin.returncode == 0, admin.stderr
            made = grantline("create-token", "--email", EMAIL, "--name", "test", data_dir=data_dir, **more)
            assert made.returncode == 0, made.stderr
            told = Story(serve, made.stdout.splitlines()[-1], secrets_of(given))
            told.secrets["token"] = told.token
            told.answers |= {"create-admin": admin.stdout + admin.stderr, "create-token": made.stderr}
            live_through(told, stack)
            log = grantline("audit", "export", "--organization", "Example Corp", data_dir=data_dir, **more)
            assert log.returncode == 0, log.stderr
            told.answers["audit export"] = log.stdout + log.stderr
            assert "data-source:" in log.stdout or "Payments" in log.stdout
        finally:
            if serve.process.poll() is None:
                serve.stop()
        told.output = serve.output()
        told.database_log = (data_dir / "postgres" / "log").read_text(errors="replace")
        yield told


def secrets_of(given: dict[str, str]) -> dict[str, str]:
    """What nobody may read anywhere."""
    return {
        "password": PASSWORD,
        "wrong password": WRONG_PASSWORD,
        "wrong token": WRONG_TOKEN,
        "secret key": SECRET_KEY,
        "AWS secret access key": given["AWS_SECRET_ACCESS_KEY"],
        "AWS session token": given["AWS_SESSION_TOKEN"],
    }


def found_in(text: str, canaries: dict[str, str]) -> list[str]:
    """The names of the canaries that a text holds, plain or escaped, each with the place."""
    places = []
    for name, canary in canaries.items():
        for written in {canary, json.dumps(canary)[1:-1], urllib.parse.quote(canary, safe="")}:
            at = text.find(written)
            if at >= 0:
                places.append(f"{name}: …{text[max(0, at - 300) : at + 80]}…")
    return places


def values() -> dict[str, str]:
    """The customer's values."""
    return {value: value for value in VALUES}


def test_everything_that_could_leak_took_place(story: Story) -> None:
    assert {name: run["state"] for name, run in story.runs.items()} == {
        "published": "published",
        "failed": "failed",
        **dict.fromkeys(TABLES_WITH_VALUES, "failed"),
    }
    assert len(story.issues) >= 2
    assert story.checks["good"]["state"] == "connected", story.checks["good"]
    assert any(step["outcome"] == "fail" for step in story.checks["refused"]["checks"])
    for run_ in story.runs.values():
        assert run_["id"] in story.output
    for event in ("run.published", "run.failed", "run.broke"):
        assert event in story.output
    for table in TABLES_WITH_VALUES:
        assert re.search(f'"{table}" violates check constraint "canary_refused"', story.database_log)
    assert all(len(secret) > 15 for secret in story.secrets.values())
    assert found_in(f"x {story.token} y", story.secrets)


def test_no_secret_is_in_any_output(story: Story) -> None:
    assert found_in(story.output, story.secrets) == []
    assert {name: places for name, text in story.answers.items() if (places := found_in(text, story.secrets))} == {}


def test_no_customers_value_is_in_a_log(story: Story) -> None:
    assert found_in(story.output, values()) == []
    assert found_in(story.answers["/metrics"] + story.answers["/readyz"], values()) == []


def test_the_databases_own_log_holds_neither(story: Story) -> None:
    assert found_in(story.database_log, story.secrets | values()) == []


def test_no_other_file_of_the_data_directory_holds_a_secret(story: Story) -> None:
    folder = story.serve.data_dir
    files = [path for path in folder.rglob("*") if path.is_file()]
    searched = [path for path in files if path.relative_to(folder).parts[0] not in NOT_SEARCHED]
    assert searched
    found = {str(path): found_in(path.read_bytes().decode(errors="replace"), story.secrets) for path in searched}
    assert {path: places for path, places in found.items() if places} == {}
