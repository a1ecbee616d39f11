"""The whole job, told step by step: from a bucket to a catalog that follows it.

In: a data directory and a port. Out: a running product, and the summary that `demo --once` prints.
Every step is one that a person would take, through the same command line and API.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grantline.demo import files
from grantline.demo.cloud import LocalCloud
from grantline.demo.product import Product
from grantline.errors import InstallationError

BUCKET = "example-corp-access-exports"
PREFIX = "access/"
INTERVAL_SECONDS = 10
STAFF, GRANTS, WIKI_USERS = 5_000, 100_000, 3_000
REMOVED, ADDED = 60, 45
CHANGED_KEY = "access/payments/grants.csv"

APPLICATIONS = (
    ("People directory", "The HR system's list of everybody who works here.", "access/hr/people.csv"),
    ("Payments", "Who may see, prepare and approve payments.", CHANGED_KEY),
    ("Company wiki", "The wiki's groups and who is in them.", "access/wiki/users.xlsx"),
)


@dataclass
class Story:
    """What happened so far."""

    say: Callable[[str], None]
    seconds: dict[str, float] = field(default_factory=dict)
    external_id: str = ""
    checks: list[dict[str, Any]] = field(default_factory=list)
    imports: list[dict[str, Any]] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)

    @contextlib.contextmanager
    def stage(self, name: str, words: str) -> Iterator[None]:
        """Time one step and say what it does."""
        self.say(words)
        begun = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - begun, 3)

    def summary(self) -> dict[str, Any]:
        """The JSON object that `demo --once` ends with."""
        return {
            "external_id": self.external_id,
            "checks": self.checks,
            "imports": self.imports,
            "seconds": self.seconds,
        }


@dataclass(frozen=True)
class Demo:
    """A demo that is up: the cloud, the product, and how to sign in."""

    cloud: LocalCloud
    product: Product
    password: str


@contextlib.contextmanager
def demo(story: Story, data_dir: Path, port: int) -> Iterator[Demo]:
    """Everything started; everything that was started is stopped at the end."""
    with contextlib.ExitStack() as stack:
        with story.stage("cloud", "Starting a local AWS with two accounts, trust enforced"):
            cloud = LocalCloud(data_dir / "demo-aws.log")
            stack.callback(cloud.stop)
            service = cloud.make_service_role()
            cloud.make_bucket(BUCKET)
        with story.stage("start", "Starting Grantline: database, web server, worker"):
            password = secrets.token_urlsafe(12)
            environment = {
                "GRANTLINE_DATA_DIR": str(data_dir),
                "GRANTLINE_PORT": str(port),
                "GRANTLINE_SERVICE_ROLE_ARN": service.role_arn,
                "GRANTLINE_AWS_ENDPOINT_URL": cloud.url,
                "GRANTLINE_MINIMUM_INTERVAL_SECONDS": "5",
                "GRANTLINE_REQUIRE_MFA": "nobody",
                **service.environment,
            }
            product = Product(data_dir, port, environment, password)
            stack.callback(product.stop)
        yield Demo(cloud, product, password)


def tell(story: Story, up: Demo) -> None:
    """The job itself. Raises: `InstallationError` with what went wrong."""
    staff, grants = _write_files(story, up.cloud)
    source_id = _connect(story, up)
    _import_all(story, up.product, source_id)
    _change_and_wait(story, up, staff, grants)


def _write_files(story: Story, cloud: LocalCloud) -> tuple[list[files.Person], list[tuple[int, str, str, str]]]:
    with story.stage("files", f"The customer's jobs write their exports: {GRANTS:,} grants, {STAFF:,} people"):
        staff = files.people(STAFF)
        grants = files.payments_grants(staff, GRANTS)
        cloud.put(BUCKET, "access/hr/people.csv", files.hr_file(staff))
        cloud.put(BUCKET, CHANGED_KEY, files.payments_file(staff, grants))
        cloud.put(BUCKET, "access/wiki/users.xlsx", files.wiki_workbook(staff, WIKI_USERS))
    return staff, grants


def _connect(story: Story, up: Demo) -> str:
    with story.stage("connect", "A Super Administrator adds a data source and gets its External ID"):
        source = up.product.call("POST", "/data-sources", {"name": "Example Corp exports"})
        story.external_id = source["external_id"]
        path = f"/data-sources/{source['id']}"
        up.product.call("PATCH", path, {"bucket": BUCKET, "prefix": PREFIX})
        policies = up.product.call("GET", f"{path}/policies?format=json")
        story.say("The customer's engineer makes the role from the policies shown")
        arn = up.cloud.make_customer_role(
            policies["role_name"], policies["trust_policy"], policies["permission_policy"]
        )
        up.product.call("PATCH", path, {"role_arn": arn})
    with story.stage("check", "The connection check: right ID, no ID, wrong ID, another's, region, listing, reading"):
        answer = up.product.call("POST", f"{path}/verify")
        story.checks = answer["checks"]
        for check in story.checks:
            story.say(f"  {check['outcome']:>7}  {check['message']}")
        if answer["state"] != "connected":
            raise InstallationError(f"The data source is {answer['state']}, not connected.")
    return str(source["id"])


def _import_all(story: Story, product: Product, source_id: str) -> None:
    with story.stage("first_sync", "Three applications, each with an import; the first sync"):
        runs = []
        for name, description, key in APPLICATIONS:
            application = product.call("POST", "/applications", {"name": name, "description": description})
            made = product.call(
                "POST",
                f"/applications/{application['id']}/imports",
                {"data_source_id": source_id, "key": key, "interval_seconds": INTERVAL_SECONDS},
            )
            story.ids[key] = made["id"]
            runs.append((name, key, product.call("POST", f"/imports/{made['id']}/sync")))
        for name, key, run in runs:
            done = product.wait_for_run(run["id"])
            counts = product.call("GET", f"/imports/{story.ids[key]}")["current_version"]["counts"]
            story.say(f"  {name}: {counts['accounts']:,} accounts, {counts['grants']:,} grants")
            story.imports.append(
                {
                    "application": name,
                    "key": key,
                    "versions": [counts],
                    "changes": {"added": 0, "removed": 0, "changed": 0},
                    "run_id": done["id"],
                }
            )


def _change_and_wait(
    story: Story, up: Demo, staff: list[files.Person], grants: list[tuple[int, str, str, str]]
) -> None:
    words = f"A day passes: the export loses {REMOVED} grants and gains {ADDED}; the schedule finds it"
    with story.stage("scheduled_sync", words):
        later = files.a_day_later(grants, staff, removed=REMOVED, added=ADDED)
        up.cloud.put(BUCKET, CHANGED_KEY, files.payments_file(staff, later))
        run = up.product.wait_for_version(story.ids[CHANGED_KEY], 2)
        version = up.product.call("GET", f"/imports/{story.ids[CHANGED_KEY]}")["current_version"]
        entry = next(item for item in story.imports if item["key"] == CHANGED_KEY)
        entry["versions"].append(version["counts"])
        entry["changes"] = run["changes"]["grants"]
        entry["changes_by_kind"] = run["changes"]
        story.say(f"  Found: {entry['changes']['added']} added, {entry['changes']['removed']} removed")
