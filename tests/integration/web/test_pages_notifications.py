"""The page of notifications: who may see it, what it stores, and the secret that is shown once."""

from __future__ import annotations

import pytest
from django.test import Client

from grantline.control.notices.models import WebhookEndpoint
from grantline.control.notices.rules import read_settings, secret_of
from grantline.control.tenancy import Scope

pytestmark = [pytest.mark.django_db, pytest.mark.integration]
PAGE = "/settings/notifications"


def test_who_gets_e_mail_is_stored(browser: Client, scope: Scope) -> None:
    assert "Super Administrators" in browser.get(PAGE).content.decode()
    answer = browser.post(PAGE, {"email_owners": "on", "more_emails": "soc@example.com, desk@example.com"})
    assert answer.status_code == 302
    row = read_settings(scope)
    assert (row.email_owners, row.email_super_administrators) == (True, False)
    assert row.more_emails == ["soc@example.com", "desk@example.com"]
    wrong = browser.post(PAGE, {"more_emails": "nobody"})
    assert wrong.status_code == 422
    assert "is not an e-mail address" in wrong.content.decode()


def test_a_secret_is_shown_once(browser: Client, scope: Scope) -> None:
    url = "https://hooks.example.com/grantline"
    answer = browser.post(f"{PAGE}/webhooks", {"url": url})
    made = WebhookEndpoint.objects.get(url=url)
    assert secret_of(made) in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    again = browser.get(PAGE).content.decode()
    assert url in again
    assert secret_of(made) not in again
    assert browser.post(f"{PAGE}/webhooks/{made.pk}/remove").status_code == 302
    assert not WebhookEndpoint.objects.exists()


def test_a_private_address_is_refused_on_the_page(browser: Client) -> None:
    answer = browser.post(f"{PAGE}/webhooks", {"url": "https://10.0.0.8/"})
    assert answer.status_code == 422
    assert "private one" in answer.content.decode()


def test_nobody_else_sees_it(auditor: Client, browser: Client, neighbour: Client) -> None:
    assert auditor.get(PAGE).status_code == 403
    browser.post(f"{PAGE}/webhooks", {"url": "https://hooks.example.com/x"})
    made = WebhookEndpoint.objects.get()
    assert "hooks.example.com" not in neighbour.get(PAGE).content.decode()
    assert neighbour.post(f"{PAGE}/webhooks/{made.pk}/remove").status_code == 404
