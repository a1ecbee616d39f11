"""Requests to identity providers, whose addresses a customer names: public addresses only.

In: an https URL. Out: the answer, at most a megabyte of it, never a redirect. A name is resolved once and
the connection goes to an address that was looked at, so a name that changes its mind between look and
connection (DNS rebinding) gains nothing. Proxies and credentials of the environment are not used. Where
the operator allows it (GRANTLINE_ALLOW_PRIVATE_ISSUERS), private addresses can be reached too, and http
on loopback.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

TIMEOUT_SECONDS: Final = 10
BYTES_LIMIT: Final = 1024 * 1024

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_reachable(address: str, *, secure: bool) -> bool:
    """Whether a provider may be at this address."""
    found: Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        found = inner or found
    if settings.GRANTLINE.allow_private_issuers:
        return found.is_loopback or (secure and not found.is_multicast and not found.is_unspecified)
    return secure and found.is_global and not found.is_multicast


def is_valid_issuer(url: str) -> bool:
    """Whether `url` has the form of an issuer: https, a host, no query; http only for an allowed loopback."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    if not parts.hostname or parts.query or parts.fragment or parts.username or any(c.isspace() for c in url):
        return False
    loopback = parts.hostname in ("localhost", "127.0.0.1", "::1")
    return parts.scheme == "https" or (
        parts.scheme == "http" and loopback and bool(settings.GRANTLINE.allow_private_issuers)
    )


class ProviderSession(requests.Session):
    """A session of requests that reaches what `is_reachable` allows."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False
        self.mount("https://", _Adapter())
        self.mount("http://", _Adapter())

    def request(self, method: str | bytes, url: str | bytes, *arguments: Any, **options: Any) -> requests.Response:
        """The answer, read to its end. Raises: `requests.RequestException`."""
        options |= {"allow_redirects": False, "stream": True}
        options.setdefault("timeout", TIMEOUT_SECONDS)
        response = super().request(method, url, *arguments, **options)
        body = response.raw.read(BYTES_LIMIT + 1, decode_content=True)
        response.close()
        if len(body) > BYTES_LIMIT:
            raise requests.RequestException("the answer is larger than a megabyte")
        if response.is_redirect:
            raise requests.RequestException("the answer is a redirect")
        response._content = body
        return response


def discovery_url(issuer_url: str) -> str:
    """Where a provider describes itself (OpenID Connect Discovery 1.0, section 4)."""
    return f"{issuer_url.rstrip('/')}/.well-known/openid-configuration"


def discover(issuer_url: str) -> dict[str, Any]:
    """The provider's own description. Raises: `requests.RequestException` where there is none."""
    with ProviderSession() as session:
        response = session.get(discovery_url(issuer_url))
        response.raise_for_status()
        document = response.json()
    if not isinstance(document, dict) or document.get("issuer") != issuer_url:
        raise requests.RequestException("the document names another issuer")
    return document


def _connect(connection: HTTPConnection, *, secure: bool) -> socket.socket:
    host, port = connection._dns_host, connection.port
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise NewConnectionError(connection, f"{host} has no address") from error
    allowed = [str(answer[4][0]) for answer in answers if is_reachable(str(answer[4][0]), secure=secure)]
    if not allowed:
        raise NewConnectionError(connection, f"{host} has no address that may be reached")
    try:
        return socket.create_connection((allowed[0], port), TIMEOUT_SECONDS)
    except OSError as error:
        raise NewConnectionError(connection, f"{host} does not answer") from error


class _Plain(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self, secure=False)


class _Secure(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self, secure=True)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}
