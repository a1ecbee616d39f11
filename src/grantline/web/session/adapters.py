"""Where django-allauth's sign-in meets ours: what happens when it ends, and how its secrets are kept.

In: allauth's hooks. Out: the session bound to one organization, the audit event, the time of the proof.
Allauth's own pages, messages and mails are not used.
"""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from grantline.control.audit.rules import Action, record
from grantline.control.organizations.models import User
from grantline.control.organizations.rules import scope_of
from grantline.control.sealing import seal, unseal
from grantline.web.requests import client_address
from grantline.web.session.identity import NO_MEMBER, ORGANIZATION

SEALED_FOR = "second step"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc] # allauth has no types
    """Ends a sign-in: who they are is known, and the second step is done."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody makes an account for themselves."""
        return False

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        """Answered like somebody who is a member nowhere."""
        messages.error(request, NO_MEMBER)
        return redirect("sign_in")

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Our pages say what happened."""

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """Grantline sends no mail; the audit log holds what happened."""

    def pre_login(
        self, request: HttpRequest, user: User, *, signal_kwargs: dict[str, Any] | None, **more: Any
    ) -> HttpResponse | None:
        """Keep of a provider's answer only whose it was: that is what has to last until the second step."""
        if signal_kwargs and "sociallogin" in signal_kwargs:
            signal_kwargs[ORGANIZATION] = signal_kwargs.pop("sociallogin").state[ORGANIZATION]
        response: HttpResponse | None = super().pre_login(request, user, signal_kwargs=signal_kwargs, **more)
        return response

    def post_login(
        self, request: HttpRequest, user: User, *, signal_kwargs: dict[str, Any] | None, **more: Any
    ) -> HttpResponse:
        """Bind the session to the organization whose provider vouched, and record the sign-in."""
        methods = [str(item.get("type") or item["method"]) for item in get_authentication_records(request, user)]
        organization_id = (signal_kwargs or {}).get(ORGANIZATION)
        if organization_id is not None:
            request.session[ORGANIZATION] = organization_id
        scope = scope_of(user, organization_id=organization_id, via="session", address=client_address(request))
        if scope is not None:
            with transaction.atomic():
                record(scope, Action.SIGN_IN, user, name=user.email, after={"methods": methods})
        response: HttpResponse = super().post_login(request, user, signal_kwargs=signal_kwargs, **more)
        return response


class SecondStepAdapter(DefaultMFAAdapter):  # type: ignore[misc] # allauth has no types
    """Keeps the secrets of authenticator apps and recovery codes sealed."""

    def encrypt(self, text: str) -> str:
        """Sealed text."""
        return seal(text, SEALED_FOR)

    def decrypt(self, encrypted_text: str) -> str:
        """What was sealed."""
        return unseal(encrypted_text, SEALED_FOR)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """The name that an authenticator shows, and the host that its passkeys are bound to."""
        return {**super().get_public_key_credential_rp_entity(), "name": "Grantline"}
