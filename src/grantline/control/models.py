"""Every model of the control plane, gathered where Django looks for them.

Each noun owns its models in its own package; this module only names them.
"""

from grantline.control.accounts.models import AccountIndex
from grantline.control.applications.models import Application, KeyAlias
from grantline.control.audit.models import AuditEvent, AuditHead
from grantline.control.imports.models import Draft, Import, Upload
from grantline.control.notices.models import Notice, NoticeSettings, WebhookEndpoint
from grantline.control.organizations.models import Membership, Organization, User
from grantline.control.people.models import Person
from grantline.control.runs.models import Run, RunIssue, Version
from grantline.control.single_sign_on.models import SingleSignOn
from grantline.control.sources.models import ConnectionCheck, DataSource, IssuedExternalId
from grantline.control.tokens.models import ApiToken

__all__ = [
    "AccountIndex",
    "ApiToken",
    "Application",
    "AuditEvent",
    "AuditHead",
    "ConnectionCheck",
    "DataSource",
    "Draft",
    "Import",
    "IssuedExternalId",
    "KeyAlias",
    "Membership",
    "Notice",
    "NoticeSettings",
    "Organization",
    "Person",
    "Run",
    "RunIssue",
    "SingleSignOn",
    "Upload",
    "User",
    "Version",
    "WebhookEndpoint",
]
