"""Signing in through an organization's OpenID Connect provider.

In: an e-mail address or a sign-in address. Out: the way to the provider and back (authorization code with
PKCE, state and nonce; django-allauth carries it), then the steps of any other sign-in. The ID token's
signature is always verified against the provider's keys, its issuer is the one that was set up, and its
nonce is the one of this browser.
"""

from __future__ import annotations

import secrets
import time
from typing import Any, Final

import jwt
import requests
import structlog
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.internal import jwtkit
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_GET, require_POST

from grantline.control.single_sign_on import rules
from grantline.control.single_sign_on.models import SingleSignOn
from grantline.control.single_sign_on.reach import ProviderSession, discovery_url
from grantline.errors import NotAllowed
from grantline.web.forms import Form
from grantline.web.requests import client_address, found_scope
from grantline.web.session.identity import FRESH_SECONDS, ORGANIZATION
from grantline.web.session.views import own_path, refusal, sign_in_page

ALGORITHMS: Final = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"})
FAILED: Final = "Your identity provider could not sign you in. Try again; if it fails again, ask an administrator."
UNKNOWN: Final = "There is no single sign-on for this e-mail address. Sign in with your password."

log = structlog.get_logger(__name__)


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Find the provider by the e-mail address's domain."""
    form = Form.typed(request.POST, ["email"])
    row = rules.of_email(form.values["email"])
    if row is None:
        form.general.append(UNKNOWN)
        return sign_in_page(request, form, own_path(request.POST.get("next", "")))
    # A page, not a redirect: browsers hold the redirects of a form to the policy's form-action.
    query = {"next": own_path(request.POST.get("next", ""))}
    return render(request, "account/to_provider.html", {"href": reverse("sign_on_start", args=[row.pk], query=query)})


@require_GET
def start(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Go to the provider. Somebody who is signed in already has to prove who they are there again."""
    nonce, again = secrets.token_urlsafe(24), found_scope(request) is not None
    parameters = {"nonce": nonce} | ({"prompt": "login", "max_age": "0"} if again else {})
    target = own_path(request.GET.get("next", ""))
    try:
        provider = ProviderAdapter(request, provider_id).get_provider()
        provider.oauth2_adapter_class = ProviderAdapter
        response: HttpResponse = provider.redirect(
            request, AuthProcess.LOGIN, next_url=target, auth_params=parameters, nonce=nonce, again=again
        )
    except SocialApp.DoesNotExist as error:
        raise Http404 from error
    except (requests.RequestException, OAuth2Error, KeyError) as error:
        log.warning("single_sign_on.start", single_sign_on_id=provider_id[:64], error=str(error)[:300])
        return sign_in_page(request, Form({"email": ""}, general=[FAILED]), target)
    return response


@require_GET
def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Come back from the provider."""
    try:
        response: HttpResponse = OAuth2CallbackView.adapter_view(ProviderAdapter(request, provider_id))(request)
    except SocialApp.DoesNotExist as error:
        raise Http404 from error
    return response


class ProviderAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc] # allauth has no types
    """OpenID Connect as allauth does it, with nothing left to the provider's good will."""

    @property
    def openid_config(self) -> dict[str, Any]:
        """The provider's description. Raises: `OAuth2Error` where it names another issuer."""
        config: dict[str, Any] = super().openid_config
        if config.get("issuer") != self.get_provider().app.settings["issuer"]:
            raise OAuth2Error("the description names another issuer")
        return config

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **more: Any) -> SocialLogin:
        """Who signed in, by the claims of the verified ID token."""
        claims = self._claims(app, str(more["response"].get("id_token") or ""))
        if "email" not in claims and self.openid_config.get("userinfo_endpoint"):
            said = self._fetch_user_info(token.token)
            if said.get("sub") != claims["sub"]:
                raise OAuth2Error("the user information is about somebody else")
            claims = {**said, **claims}
        login = self.get_provider().sociallogin_from_response(request, {"id_token": claims})
        login.account.extra_data = {}
        login.claims = claims
        return login

    def _claims(self, app: SocialApp, id_token: str) -> dict[str, Any]:
        try:
            if jwt.get_unverified_header(id_token).get("alg") not in ALGORITHMS:
                raise OAuth2Error("the ID token is not signed with a public key")
            claims: dict[str, Any] = jwtkit.verify_and_decode(
                credential=id_token,
                keys_url=self.openid_config["jwks_uri"],
                issuer=self.openid_config["issuer"],
                audience=app.client_id,
                lookup_kid=jwtkit.lookup_kid_jwk,
            )
        except (jwt.PyJWTError, KeyError, TypeError, ValueError) as error:
            raise OAuth2Error("the ID token cannot be read") from error
        if not claims.get("sub") or "exp" not in claims:
            raise OAuth2Error("the ID token names nobody")
        return claims


class SingleSignOnAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc] # allauth has no types
    """Tells allauth which providers there are, and who may come in."""

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        """The provider of one organization, by its id; there is no list of all."""
        row = rules.find(provider or "")
        return [_app(row)] if row else []

    def get_requests_session(self) -> requests.Session:
        """A session that reaches public addresses only."""
        return ProviderSession()

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """New members are made by `pre_social_login`, never by allauth's form."""
        return False

    def on_authentication_error(self, request: HttpRequest, provider: Any, **more: Any) -> None:
        """Say on the sign-in page that it failed; the log says why."""
        log.warning("single_sign_on.failed", error=str(more.get("exception") or more.get("error"))[:300])
        raise refusal(request, FAILED)

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Check the nonce, then let the organization's rules decide."""
        row, claims, state = rules.find(sociallogin.account.provider), sociallogin.claims, sociallogin.state
        if row is None or not constant_time_compare(str(claims.get("nonce")), str(state.get("nonce"))):
            raise refusal(request, FAILED)
        if state.get("again") and not _is_recent(claims.get("auth_time")):
            raise refusal(request, "Your identity provider did not ask who you are again.")
        known = sociallogin.user if sociallogin.is_existing else None
        try:
            user = rules.admit(row, claims, known=known, address=client_address(request))
        except NotAllowed as error:
            raise refusal(request, error.message) from error
        if known is None:
            sociallogin.user = sociallogin.account.user = user
            sociallogin.account.save()
        sociallogin.state[ORGANIZATION] = row.organization_id


def _app(row: SingleSignOn) -> SocialApp:
    """The organization's provider as allauth wants it; never stored."""
    return SocialApp(
        provider="openid_connect",
        provider_id=row.pk,
        name="Single sign-on",
        client_id=row.client_id,
        secret=rules.client_secret(row),
        settings={"issuer": row.issuer_url, "server_url": discovery_url(row.issuer_url), "oauth_pkce_enabled": True},
    )


def _is_recent(auth_time: object) -> bool:
    return isinstance(auth_time, int | float) and time.time() - auth_time < FRESH_SECONDS
