"""Webhook requests: to addresses that customers name, so to public ones only, signed, never redirected.

In: a URL, a secret, a document. Out: the status. A name is resolved once and the connection goes to an
address that was looked at, so a name that changes its mind in between (DNS rebinding) gains nothing. Where
the operator allows it (GRANTLINE_ALLOW_PRIVATE_WEBHOOKS) private addresses are reached too, and http on
loopback. Signed by the Standard Webhooks scheme, version 1.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import ipaddress
import json
import socket
import ssl
from datetime import datetime
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from grantline.errors import InputInvalid

TIMEOUT_SECONDS: Final = 10
ANSWER_BYTES: Final = 64 * 1024
URL_CHARACTERS: Final = 2000


class NotDelivered(Exception):
    """The endpoint did not take it; its text says why, in words that hold no secret."""


def valid_url(url: str) -> str:
    """`url`, if webhooks may go there. Raises: `InputInvalid` with field `url`."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    if len(url) > URL_CHARACTERS or not url.isascii() or any(character.isspace() for character in url):
        raise _invalid("The address must be a URL of at most 2,000 characters.")
    if not parts.hostname or parts.username or parts.password or parts.fragment:
        raise _invalid("The address must have a host, and no user, password or fragment.")
    if parts.scheme != "https" and not _is_allowed_loopback(parts):
        raise _invalid("The address must begin with https://.")
    try:
        literal = ipaddress.ip_address(parts.hostname)
    except ValueError:
        return url
    if not _is_reachable(str(literal)):
        raise _invalid("The address is a private one, which Grantline does not send to.")
    return url


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature` (https://www.standardwebhooks.com)."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def send(url: str, secret: str, message_id: str, document: dict[str, Any], now: datetime) -> int:
    """Post `document`; the status of the answer, 2xx. Raises: `NotDelivered`."""
    body = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    timestamp = int(now.timestamp())
    headers = {
        "content-type": "application/json",
        "user-agent": "grantline",
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(secret, message_id, timestamp, body),
    }
    parts = urlsplit(valid_url(url))
    try:
        connection = _connect(parts)
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            answer.read(ANSWER_BYTES)
        finally:
            connection.close()
    except (OSError, http.client.HTTPException) as error:
        raise NotDelivered(f"{parts.hostname} did not answer ({type(error).__name__}).") from error
    if not 200 <= answer.status < 300:
        raise NotDelivered(f"{parts.hostname} answered {answer.status}.")
    return answer.status


def _connect(parts: SplitResult) -> http.client.HTTPConnection:
    """A connection to an address of the host that may be reached. Raises: `NotDelivered`, `OSError`."""
    host, secure = str(parts.hostname), parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    allowed = [str(answer[4][0]) for answer in answers if _is_reachable(str(answer[4][0]))]
    if not allowed or len(allowed) < len(answers):
        raise NotDelivered(f"{host} has a private address, which Grantline does not send to.")
    raw = socket.create_connection((allowed[0], port), TIMEOUT_SECONDS)
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    try:
        connection.sock = ssl.create_default_context().wrap_socket(raw, server_hostname=host) if secure else raw
    except OSError:
        raw.close()
        raise
    return connection


def _is_reachable(address: str) -> bool:
    found: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        found = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None) or found
    if settings.GRANTLINE.allow_private_webhooks:
        return not found.is_multicast and not found.is_unspecified and not found.is_link_local
    return found.is_global and not found.is_multicast


def _is_allowed_loopback(parts: SplitResult) -> bool:
    loopback = parts.hostname in ("localhost", "127.0.0.1", "::1")
    return parts.scheme == "http" and loopback and bool(settings.GRANTLINE.allow_private_webhooks)


def _invalid(reason: str) -> InputInvalid:
    return InputInvalid(reason, field="url", remedy="Give an address such as https://hooks.example.com/grantline.")
