"""A small OpenID Connect provider on loopback: authorization code with PKCE, ID tokens signed with RS256.

It signs in whoever the test says, checks the client's secret, the redirect URI and the code verifier, and
notes what it was asked. `spoil` changes what it answers, for providers that are wrong or hostile.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID, CLIENT_SECRET = "grantline-test", "a secret of the client: + %"
Document = dict[str, Any]


class Provider:
    """The provider's state, and what tests may change about it."""

    def __init__(self) -> None:
        self.issuer = ""
        self.claims: Document = {"sub": "subject-1", "email": "kim@example.com", "email_verified": True, "name": "Kim"}
        self.userinfo: Document | None = None
        self.key: Any = rsa.generate_private_key(65537, 2048)
        self.algorithm = "RS256"
        self.spoil: Callable[[Document], Document] = lambda claims: claims
        self.seen: list[Document] = []
        self._codes: dict[str, Document] = {}
        self._public = self.key.public_key()

    def authorize(self, address: str) -> str:
        """What the provider answers a browser that was sent to `address`: where it is sent back to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["client_id"] == CLIENT_ID
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        self.seen.append(asked)
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def description(self) -> Document:
        """The discovery document."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            **({"userinfo_endpoint": f"{self.issuer}/userinfo"} if self.userinfo is not None else {}),
        }

    def keys(self) -> Document:
        """The public keys."""
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self._public))
        return {"keys": [{**key, "kid": "1", "alg": "RS256", "use": "sig"}]}

    def token(self, form: Document) -> Document | None:
        """An ID token for a code that is used once, by the client that it is for; else nothing."""
        asked = self._codes.pop(form.get("code", ""), None)
        if asked is None or (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return None
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if challenge != asked["code_challenge"] or form.get("redirect_uri") != asked["redirect_uri"]:
            return None
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 60, "nonce": asked["nonce"]}
        claims = self.spoil({**claims, "auth_time": now, **self.claims})
        signed = jwt.encode(claims, self.key, self.algorithm, headers={"kid": "1"})
        return {"access_token": "access", "token_type": "Bearer", "id_token": signed}


@contextmanager
def running() -> Iterator[Provider]:
    """The provider, served from a thread."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            routes = {
                "/.well-known/openid-configuration": provider.description,
                "/keys": provider.keys,
                "/userinfo": lambda: provider.userinfo,
            }
            self._answer(routes.get(self.path, lambda: None)())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._answer(provider.token(form) if self.path == "/token" else None)

        def _answer(self, document: Document | None) -> None:
            body = json.dumps(document or {"error": "invalid"}).encode()
            self.send_response(200 if document is not None else 400)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
