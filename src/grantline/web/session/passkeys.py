"""What the script of passkeys asks for: WebAuthn's options, as JSON.

In: django-allauth's options, whose parts are mappings of the FIDO2 library. Out: plain JSON with bytes in
base64url, which browsers and `passkeys.js` read. Passkeys need a host with a name: browsers refuse them
for bare addresses such as 127.0.0.1, but take localhost.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, JsonResponse


def options_response(options: Mapping[str, Any]) -> JsonResponse:
    """The options as an answer."""
    return JsonResponse(_plain(options))


def are_possible(request: HttpRequest) -> bool:
    """Whether browsers take passkeys for the address that the page was opened under."""
    host = request.get_host().rsplit(":", 1)[0].strip("[]")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return request.is_secure() or host == "localhost" or host.endswith(".localhost")
    return False


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
