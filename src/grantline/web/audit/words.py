"""What the audit log's actions, fields and ways in are called on its page.

Pure: an action or a document in, words out. An action that has no words yet is shown as it is recorded.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from grantline.control.audit.rules import Action

NOUNS: Final[dict[str, str]] = {
    "data_source": "Data sources",
    "external_id": "External IDs",
    "application": "Applications",
    "alias": "Same names",
    "import": "Imports",
    "run": "Runs",
    "catalog": "Downloads",
    "organization": "Organization",
    "member": "Members",
    "token": "API tokens",
    "single_sign_on": "Single sign-on",
    "session": "Sign-ins",
    "second_step": "Second steps",
    "profile": "Profiles",
    "audit_log": "This log",
}
"""Nouns in the order of the filter; those of actions that are not here come last."""

ACTIONS: Final[dict[str, str]] = {
    Action.MEMBER_ADD: "Made a member",
    Action.MEMBER_CHANGE: "Changed a member's role",
    Action.MEMBER_REMOVE: "Removed a member",
    Action.MEMBER_LINK: "Made a password link",
    Action.MEMBER_RESET: "Removed a lost second step",
    Action.PROFILE_CHANGE: "Changed their name",
    Action.PASSWORD_CHANGE: "Changed their password",
    Action.SECOND_STEP_ADD: "Set up a second step",
    Action.SECOND_STEP_REMOVE: "Removed a second step",
    Action.SECOND_STEP_RENEW: "Made new recovery codes",
    Action.SESSION_END: "Ended sessions",
    Action.SIGN_ON_CHANGE: "Set up single sign-on",
    Action.SIGN_ON_DELETE: "Removed single sign-on",
    Action.SIGN_IN: "Signed in",
    Action.SIGN_IN_FAIL: "Failed to sign in",
    Action.SIGN_OUT: "Signed out",
    Action.TOKEN_CREATE: "Made an API token",
    Action.TOKEN_REVOKE: "Revoked an API token",
    Action.SOURCE_CREATE: "Added a data source",
    Action.SOURCE_CHANGE: "Changed a data source",
    Action.SOURCE_CHECK: "Checked a connection",
    Action.SOURCE_DELETE: "Deleted a data source",
    Action.SOURCE_SUSPEND: "Suspended a data source",
    Action.SOURCE_RESUME: "Resumed a data source",
    Action.SOURCE_LAPSE: "Let a proof of trust lapse",
    Action.EXTERNAL_ID_ROTATE: "Issued a second External ID",
    Action.EXTERNAL_ID_CANCEL: "Gave up an External ID",
    Action.EXTERNAL_ID_REPLACE: "Replaced an External ID",
    Action.APPLICATION_CREATE: "Added an application",
    Action.APPLICATION_CHANGE: "Changed an application",
    Action.APPLICATION_DELETE: "Deleted an application",
    Action.ALIAS_DECLARE: "Declared two keys the same",
    Action.ALIAS_WITHDRAW: "Withdrew a declaration",
    Action.ORGANIZATION_CHANGE: "Changed the organization",
    Action.IMPORT_ROLLBACK: "Brought a version back",
    Action.IMPORT_CREATE: "Set up an import",
    Action.IMPORT_CHANGE: "Changed an import",
    Action.IMPORT_SYNC: "Asked for a run",
    Action.IMPORT_PAUSE: "Paused an import",
    Action.IMPORT_RESUME: "Resumed an import",
    Action.IMPORT_DELETE: "Deleted an import",
    Action.RUN_PUBLISH: "Published a version",
    Action.RUN_HOLD: "Held a run",
    Action.RUN_APPROVE: "Approved a held run",
    Action.RUN_DISCARD: "Discarded a held run",
    Action.CATALOG_EXPORT: "Downloaded data",
    Action.AUDIT_EXPORT: "Downloaded the audit log",
    Action.NOTIFICATION_CHANGE: "Changed who is told",
    Action.WEBHOOK_REMOVE: "Removed a webhook",
    Action.WEBHOOK_ADD: "Added a webhook",
}
WAYS: Final = {
    "session": "in the browser",
    "token": "with an API token",
    "cli": "on the command line",
    "worker": "by itself",
    "single_sign_on": "through the identity provider",
}
LONG_CHARACTERS: Final = 120


@dataclass(frozen=True)
class Difference:
    """One field of a change. Nothing before or nothing after is None; `is_long` folds it away."""

    field: str
    before: str | None
    after: str | None

    @property
    def is_long(self) -> bool:
        """Whether it would fill the table."""
        return max(len(self.before or ""), len(self.after or "")) > LONG_CHARACTERS


def action_words(action: str) -> str:
    """`Published a version` for `run:publish`."""
    noun, _, verb = action.partition(":")
    return ACTIONS.get(action) or f"{noun.replace('_', ' ').capitalize()}: {verb.replace('_', ' ')}"


def way_words(via: str) -> str:
    """`with an API token`."""
    return WAYS.get(via, via.replace("_", " "))


def noun_choices() -> list[tuple[str, str]]:
    """The filter's options: everything, then each noun that is recorded."""
    recorded = {action.value.partition(":")[0] for action in Action}
    known = [noun for noun in NOUNS if noun in recorded]
    others = sorted(recorded - NOUNS.keys())
    return [("", "Everything"), *((noun, NOUNS.get(noun, noun.capitalize())) for noun in [*known, *others])]


def differences(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[Difference]:
    """What changed, field by field; a field that stayed the same is left out."""
    return list(_differences(before or {}, after or {}))


def field_words(name: str) -> str:
    """`Role ARN` for `role_arn`: the words of the pages, with the abbreviations as people write them."""
    spelled = {"external_id": "External ID", "role_arn": "Role ARN", "kms_key_arn": "KMS key ARN"}
    return spelled.get(name) or name.replace("_", " ").removesuffix(" id").capitalize()


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for name in dict.fromkeys((*before, *after)):
        was, now = _text(before.get(name)), _text(after.get(name))
        if was != now:
            yield Difference(field_words(name), was, now)


def _text(value: Any) -> str | None:
    if value is None or value in ("", [], {}):
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(item, str | int) for item in value):
        return ", ".join(map(str, value))
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, indent=1)
    return f"{value:,}" if isinstance(value, int | float) else str(value)
