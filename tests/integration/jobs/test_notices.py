"""What members are told: once, to whom it is meant for, signed, with a link."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from grantline.control.imports.models import Import
from grantline.control.notices import reach, rules
from grantline.control.notices.models import Notice
from grantline.control.organizations.models import Membership, User
from grantline.control.organizations.roles import Role
from grantline.control.runs.models import Run
from grantline.control.sources.models import DataSource
from grantline.errors import InputInvalid, NotAllowed
from grantline.jobs import tasks
from grantline.jobs.notices import tell
from grantline.jobs.requests import approve
from tests.integration.jobs.conftest import World, grants_csv

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.integration]
KEY = "access/grants.csv"
ROWS = [(f"U{number:03d}", "L1", "Viewer") for number in range(30)]


def deliver() -> list[dict[str, Any]]:
    """Carry out the deliveries that are queued, as a worker would; what each was."""
    sent = []
    for job in ProcrastinateJob.objects.filter(task_name__startswith="grantline.send", status="todo").order_by("id"):
        task = tasks.send_email if job.task_name == "grantline.send_email" else tasks.send_webhook
        task.func(**job.args)
        sent.append(job.args)
    ProcrastinateJob.objects.filter(task_name__startswith="grantline.send")._raw_delete("default")
    return sent


@pytest.fixture(autouse=True)
def empty_queue(db: None) -> None:
    ProcrastinateJob.objects.filter(task_name__startswith="grantline.send")._raw_delete("default")


@pytest.fixture
def item(world: World) -> Import:
    world.put(KEY, grants_csv(*ROWS))
    made = world.make_import(KEY)
    world.run(made)
    return made


def test_the_third_failure_in_a_row_is_told_once_and_again_after_recovery(world: World, item: Import) -> None:
    world.delete(KEY)
    told = []
    for _ in range(5):
        assert world.run(item).state == "failed"
        told.append(tell())
        deliver()
    assert told == [0, 0, 1, 0, 0]
    (message,) = mail.outbox
    assert message.to == ["admin@example.com"]
    assert message.subject == f"An import failed three times in a row: Payments: {item.title}"
    assert "There is no object" in message.body
    assert f"{settings.PUBLIC_ORIGIN}/imports/{item.pk}" in message.body
    world.put(KEY, grants_csv(*ROWS, ("U900", "L1", "Viewer")))
    assert world.run(item).state == "published"
    assert tell() == 0
    assert Notice.objects.get().closed_at is not None
    world.delete(KEY)
    for _ in range(3):
        world.run(item)
    assert tell() == 1
    assert len(deliver()) == 1


def test_a_held_run_is_told_until_somebody_decided(world: World, item: Import) -> None:
    world.put(KEY, grants_csv(*ROWS[:3]))
    assert world.run(item).state == "held"
    assert tell() == 1
    world.put(KEY, grants_csv(*ROWS[:4]))
    assert world.run(item).state == "held"
    assert tell() == 0
    approve(world.scope, Run.objects.get(state="held").pk, "They have left.")
    assert tell() == 0
    assert Notice.objects.get().kind == "run.held"
    assert Notice.objects.get().closed_at is not None


def test_a_stale_import_and_a_suspended_source_are_told(world: World, item: Import) -> None:
    long_ago = timezone.now() - timedelta(days=2)
    Import.objects.filter(pk=item.pk).update(looked_at=long_ago)
    DataSource.objects.filter(pk=world.source.pk).update(
        suspended_at=timezone.now(), verified_at=None, state="suspended"
    )
    assert tell() == 2
    assert set(Notice.objects.values_list("kind", flat=True)) == {"import.stale", "data_source.suspended"}
    deliver()
    assert any(f"/{world.source.pk}" in message.body for message in mail.outbox)


def test_owners_and_those_named_are_told_and_nobody_twice(world: World, item: Import) -> None:
    owner = User.objects.create_user("owner@example.com", "correct horse battery")
    Membership.objects.create(organization_id=world.scope.organization_id, user=owner, role=Role.APPLICATION_OWNER)
    item.application.owner = owner
    item.application.save()
    rules.change_settings(world.scope, {"more_emails": ["soc@example.com", "Owner@example.com"]})
    notice = Notice(organization_id=world.scope.organization_id, application=item.application)
    assert {address.lower() for address in rules.recipients(notice)} == {
        "admin@example.com",
        "owner@example.com",
        "soc@example.com",
    }
    assert len(rules.recipients(notice)) == 3
    rules.change_settings(
        world.scope, {"email_owners": False, "email_super_administrators": False, "more_emails": ["soc@example.com"]}
    )
    assert rules.recipients(notice) == ["soc@example.com"]
    with pytest.raises(InputInvalid, match="not an e-mail"):
        rules.change_settings(world.scope, {"more_emails": ["nobody"]})


class Endpoint:
    """A customer's endpoint on this machine."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.status = 200
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(outer.status)
                self.send_header("location", "http://127.0.0.1:1/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?x=1"


@pytest.fixture
def endpoint(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    monkeypatch.setattr(settings, "GRANTLINE", replace(settings.GRANTLINE, allow_private_webhooks=True))
    made = Endpoint()
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_webhook_is_signed_by_the_standard_scheme_and_tried_again(
    world: World, item: Import, endpoint: Endpoint
) -> None:
    rules.change_settings(world.scope, {"email_super_administrators": False})
    made, secret = rules.add_endpoint(world.scope, endpoint.url)
    assert secret not in made.secret_sealed
    world.put(KEY, grants_csv(*ROWS[:3]))
    world.run(item)
    assert tell() == 1
    endpoint.status = 500
    with pytest.raises(reach.NotDelivered, match="answered 500"):
        deliver()
    made.refresh_from_db()
    assert (made.failure, made.delivered_at) == ("127.0.0.1 answered 500.", None)
    endpoint.status = 302
    with pytest.raises(reach.NotDelivered, match="answered 302"):
        deliver()
    endpoint.status = 204
    assert len(deliver()) == 1
    first, _, (headers, body) = endpoint.requests
    assert first[0]["webhook-id"] == headers["webhook-id"]  # so that the receiver knows a second delivery
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    document = json.loads(body)
    assert document["type"] == "run.held"
    assert document["data"]["url"] == f"{settings.PUBLIC_ORIGIN}/imports/{item.pk}"
    assert tasks.send_webhook.retry_strategy.max_attempts == 8


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/x",
        "https://127.0.0.1/x",
        "https://10.0.0.8/x",
        "https://169.254.169.254/latest",
        "https://[::1]/x",
        "https://[::ffff:10.0.0.1]/x",
        "https://user:pass@hooks.example.com/",
        "ftp://hooks.example.com",
        "https://",
        "https://hooks.example.com/ x",
    ],
)
def test_addresses_that_are_not_public_are_refused(world: World, url: str) -> None:
    with pytest.raises(InputInvalid) as refused:
        rules.add_endpoint(world.scope, url)
    assert refused.value.field == "url"


def test_a_name_that_leads_inside_is_refused_when_it_is_connected_to(
    monkeypatch: pytest.MonkeyPatch, world: World
) -> None:
    answers = [(2, 1, 6, "", ("93.184.216.34", 443)), (2, 1, 6, "", ("10.0.0.8", 443))]
    monkeypatch.setattr(reach.socket, "getaddrinfo", lambda *_, **__: answers)
    monkeypatch.setattr(reach.socket, "create_connection", lambda *_: pytest.fail("nothing may be connected to"))
    with pytest.raises(reach.NotDelivered, match="private address"):
        reach.send("https://hooks.example.com/x", "whsec_AAAA", "msg_1", {}, timezone.now())


def test_only_super_administrators_set_up_webhooks(world: World) -> None:
    owner = replace(world.scope, role=Role.APPLICATION_OWNER)
    with pytest.raises(NotAllowed):
        rules.add_endpoint(owner, "https://hooks.example.com/x")
    with pytest.raises(NotAllowed):
        rules.list_endpoints(owner)


def test_the_example_of_the_scheme() -> None:
    """The scheme's own test vector (https://github.com/standard-webhooks/standard-webhooks)."""
    made = reach.signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
