"""Audit events as OCSF, for whoever collects the logs of many products.

In: an event. Out: one JSON object of the Open Cybersecurity Schema Framework, version `VERSION`. Sign-ins
are Authentication (3002), exports are API Activity (6003), everything else is Entity Management (3004).
What Grantline has and OCSF has no place for, the chain above all, is under `unmapped`, so that a line of
an export can be verified without the database.
"""

from __future__ import annotations

import json
from typing import Any, Final

from grantline import __version__
from grantline.control.audit.chain import FORMAT, moment
from grantline.control.audit.models import AuditEvent
from grantline.control.audit.rules import Action

VERSION: Final = "1.3.0"
ENTITY_MANAGEMENT, AUTHENTICATION, API_ACTIVITY = 3004, 3002, 6003
_CATEGORIES: Final = {3: "Identity & Access Management", 6: "Application Activity"}
_CLASSES: Final = {
    ENTITY_MANAGEMENT: "Entity Management",
    AUTHENTICATION: "Authentication",
    API_ACTIVITY: "API Activity",
}
_SESSIONS: Final = {Action.SIGN_IN: (1, "Logon"), Action.SIGN_IN_FAIL: (1, "Logon"), Action.SIGN_OUT: (2, "Logoff")}
_EXPORTS: Final = {Action.CATALOG_EXPORT, Action.AUDIT_EXPORT}
_VERBS: Final = {
    **dict.fromkeys(("create", "add", "declare"), (1, "Create")),
    **dict.fromkeys(("delete", "remove", "revoke", "withdraw", "end"), (4, "Delete")),
}
"""Every other verb changes what is there."""
_UPDATE: Final = (3, "Update")
_READ: Final = (2, "Read")
_INFORMATIONAL: Final = 1
_SUCCESS, _FAILURE = (1, "Success"), (2, "Failure")


def ocsf_line(event: AuditEvent) -> str:
    """One line of JSON, without its line end."""
    return json.dumps(ocsf(event), separators=(",", ":"), ensure_ascii=False)


def ocsf(event: AuditEvent) -> dict[str, Any]:
    """The event as an OCSF document."""
    uid, (activity_id, activity) = _class_and_activity(event)
    status_id, status = _FAILURE if event.action == Action.SIGN_IN_FAIL else _SUCCESS
    return {
        "activity_id": activity_id,
        "activity_name": activity,
        "category_uid": uid // 1000,
        "category_name": _CATEGORIES[uid // 1000],
        "class_uid": uid,
        "class_name": _CLASSES[uid],
        "type_uid": uid * 100 + activity_id,
        "severity_id": _INFORMATIONAL,
        "severity": "Informational",
        "status_id": status_id,
        "status": status,
        "time": int(event.at.timestamp() * 1000),
        "metadata": _metadata(event),
        "actor": {"user": _user(event.actor_id, event.actor_name)},
        "src_endpoint": {"ip": event.address} if event.address else {"name": event.via},
        **_subject(uid, event),
        "unmapped": _unmapped(event),
    }


def _class_and_activity(event: AuditEvent) -> tuple[int, tuple[int, str]]:
    for action, activity in _SESSIONS.items():
        if event.action == action:
            return AUTHENTICATION, activity
    if event.action in _EXPORTS:
        return API_ACTIVITY, _READ
    return ENTITY_MANAGEMENT, _VERBS.get(event.action.partition(":")[2], _UPDATE)


def _metadata(event: AuditEvent) -> dict[str, Any]:
    return {
        "version": VERSION,
        "product": {"name": "Grantline", "vendor_name": "Grantline", "version": __version__},
        "uid": event.pk,
        "sequence": event.sequence,
        "event_code": event.action,
        "log_name": "audit",
        "tenant_uid": event.organization_id,
    }


def _user(identity: str, name: str) -> dict[str, str]:
    return {"name": name, **({"uid": identity} if identity else {})}


def _subject(uid: int, event: AuditEvent) -> dict[str, Any]:
    """What the event is about, where its class has a place for it."""
    noun = event.action.partition(":")[0]
    if uid == AUTHENTICATION:
        return {"user": _user(event.subject_id, event.subject_name), "service": {"name": "Grantline"}}
    if uid == API_ACTIVITY:
        resource = {"uid": event.subject_id, "name": event.subject_name, "type": noun}
        return {"api": {"operation": event.action}, "resources": [resource]}
    entity: dict[str, Any] = {"uid": event.subject_id, "name": event.subject_name, "type": noun}
    found: dict[str, Any] = {"entity": entity}
    if event.before is not None:
        entity["data"] = event.before
    if event.after is not None:
        found["entity_result"] = {**entity, "data": event.after}
    reason = (event.after or {}).get("reason")
    return found | ({"comment": reason} if isinstance(reason, str) and reason else {})


def _unmapped(event: AuditEvent) -> dict[str, Any]:
    chain = {"format": FORMAT, "previous_hash": event.previous_hash, "hash": event.hash}
    return {
        "at": moment(event.at),
        "via": event.via,
        "before": event.before,
        "after": event.after,
        "chain": chain,
    }
