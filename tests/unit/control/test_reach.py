"""Identity providers are reached at public addresses only, unless the operator allows others."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
import requests
from django.conf import settings

from grantline.control.single_sign_on import reach
from grantline.control.single_sign_on.reach import ProviderSession, is_reachable, is_valid_issuer


@pytest.fixture
def private(monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator allows private addresses."""
    monkeypatch.setattr(settings, "GRANTLINE", replace(settings.GRANTLINE, allow_private_issuers=True))


@pytest.fixture
def server() -> Iterator[str]:
    """A server on loopback: `/` answers, `/away` redirects, `/large` does not end."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            away, large = self.path == "/away", self.path == "/large"
            self.send_response(302 if away else 200)
            self.send_header("Location", "/")
            self.end_headers()
            for _ in range(40 if large else 1):
                self.wfile.write(b"x" * 65_536 if large else b"{}")

        def log_message(self, *arguments: Any) -> None:
            """Quiet."""

    serving = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=serving.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{serving.server_port}"
    serving.shutdown()
    serving.server_close()


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "10.0.0.1",
            "192.168.1.1",
            "172.16.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
        ),
        *("::1", "fe80::1%eth0", "fd00::1", "::ffff:169.254.169.254", "2002:7f00:1::", "::"),
    ],
)
def test_what_is_not_public_is_out_of_reach(address: str) -> None:
    assert not is_reachable(address, secure=True)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_public_addresses_are_reached_over_https_alone(address: str) -> None:
    assert is_reachable(address, secure=True)
    assert not is_reachable(address, secure=False)


def test_where_it_is_allowed_http_still_reaches_loopback_alone(private: None) -> None:
    assert is_reachable("10.0.0.1", secure=True)
    assert is_reachable("127.0.0.1", secure=False)
    assert not is_reachable("10.0.0.1", secure=False)


@pytest.mark.parametrize(
    "url",
    [
        *("http://login.example.com", "http://localhost:1", "ftp://login.example.com", "login.example.com", ""),
        *("https://", "https://a@login.example.com", "https://login.example.com?x=1", "https://login.example.com#x"),
        *("https://login.example.com:x", "https://login .example.com", "file:///etc/passwd"),
    ],
)
def test_what_is_no_issuer(url: str) -> None:
    assert not is_valid_issuer(url)


def test_issuers(private: None) -> None:
    assert is_valid_issuer("https://login.example.com/tenant/v2.0")
    assert is_valid_issuer("http://127.0.0.1:8080")
    assert not is_valid_issuer("http://login.example.com")


def test_a_private_server_is_not_asked(server: str) -> None:
    with pytest.raises(requests.RequestException, match="no address that may be reached"):
        ProviderSession().get(server)


def test_a_name_that_leads_inside_is_not_asked(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The addresses that were looked at are the ones connected to: a name is resolved once."""
    asked = []

    def answers(host: str, port: int, **more: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(reach.socket, "getaddrinfo", answers)

    with pytest.raises(requests.RequestException, match="no address that may be reached"):
        ProviderSession().get(f"https://login.example.com:{server.rsplit(':', 1)[1]}")
    assert asked == ["login.example.com"]


def test_an_allowed_server_is_asked_without_following_it_elsewhere(server: str, private: None) -> None:
    assert ProviderSession().get(server).json() == {}
    with pytest.raises(requests.RequestException, match="redirect"):
        ProviderSession().get(f"{server}/away")
    with pytest.raises(requests.RequestException, match="larger than a megabyte"):
        ProviderSession().get(f"{server}/large")


def test_proxies_of_the_environment_are_not_used(server: str, private: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    assert ProviderSession().get(server).status_code == 200
