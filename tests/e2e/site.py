"""One Grantline for all browser tests: real processes beside a local AWS, and what a test needs of them.

In: a folder. Out: a `Site` whose helpers do through the API whatever is not the point of a test, so that
a test begins where its own story begins. Each test uses a bucket and applications of its own.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grantline.demo.cloud import CUSTOMER_ACCOUNT, LocalCloud, free_port
from grantline.demo.product import EMAIL, Product

PASSWORD = "a long sentence 42"
CHECK_WAIT_SECONDS = 2
HEAD = "User ID,Email Address,Full Name,User Status,Groups,Shoe size\n"


@dataclass(frozen=True)
class Site:
    """A running Grantline and its local AWS."""

    cloud: LocalCloud
    product: Product
    email: str = EMAIL
    password: str = PASSWORD

    @property
    def url(self) -> str:
        """Where it listens."""
        return self.product.url

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """Write a file as the customer's job does."""
        self.cloud.put(bucket, key, body)

    def make_role(self, name: str, trust: dict[str, Any], permissions: dict[str, Any]) -> str:
        """A role in the customer's account; its ARN."""
        return self.cloud.make_customer_role(name, trust, permissions)

    def change_trust(self, name: str, trust: dict[str, Any]) -> None:
        """Replace a role's trust policy."""
        iam = self.cloud.client(CUSTOMER_ACCOUNT, "iam")
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))

    def connected(self, name: str, bucket: str, **files: bytes) -> str:
        """A connected data source with its bucket; its id. Files are written below `exports/`."""
        self.cloud.make_bucket(bucket)
        for file, body in files.items():
            self.put(bucket, f"exports/{file}.csv", body)
        source = self.product.call("POST", "/data-sources", {"name": name})
        path = f"/data-sources/{source['id']}"
        self.product.call("PATCH", path, {"bucket": bucket, "prefix": "exports/"})
        policies = self.product.call("GET", f"{path}/policies?format=json")
        arn = self.make_role(f"Role-{bucket}", policies["trust_policy"], policies["permission_policy"])
        self.product.call("PATCH", path, {"role_arn": arn})
        answer = self.product.call("POST", f"{path}/verify")
        assert answer["state"] == "connected", answer
        return str(source["id"])

    def application(self, name: str) -> str:
        """A new application; its id."""
        return str(self.product.call("POST", "/applications", {"name": name})["id"])

    def imported(self, application_id: str, source_id: str, key: str) -> str:
        """An import that has run once; its id."""
        body = {"data_source_id": source_id, "key": key}
        made = self.product.call("POST", f"/applications/{application_id}/imports", body)
        self.sync(made["id"])
        return str(made["id"])

    def sync(self, import_id: str) -> dict[str, Any]:
        """Run an import to its end; the run, whatever came of it."""
        import time

        run = self.product.call("POST", f"/imports/{import_id}/sync")
        deadline = time.monotonic() + 60
        while run["state"] in ("queued", "running"):
            assert time.monotonic() < deadline, run
            time.sleep(0.1)
            run = self.product.call("GET", f"/runs/{run['id']}")
        return dict(run)


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Site]:
    """A `Site` that has started, stopped at the end."""
    cloud = LocalCloud(folder / "aws.log")
    try:
        service = cloud.make_service_role()
        port = free_port()
        environment = {
            "GRANTLINE_DATA_DIR": str(folder),
            "GRANTLINE_PORT": str(port),
            "GRANTLINE_SERVICE_ROLE_ARN": service.role_arn,
            "GRANTLINE_AWS_ENDPOINT_URL": cloud.url,
            "GRANTLINE_REQUIRE_MFA": "nobody",
            "GRANTLINE_CHECK_WAIT_SECONDS": str(CHECK_WAIT_SECONDS),
            **service.environment,
        }
        product = Product(folder, port, environment, PASSWORD)
        try:
            yield Site(cloud, product)
        finally:
            product.stop()
    finally:
        cloud.stop()


def staff_file(*users: str, groups: str = "Readers,Approvers", extra: str = "") -> bytes:
    """A file with one row per account, each in the same groups."""
    rows = "".join(f'{user},{user}@example.com,Person {user},Active,"{groups}",42\n' for user in users)
    return (HEAD + rows + extra).encode()
