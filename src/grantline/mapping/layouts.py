"""Known layouts: exports of real products, recognized by their header.

Owns one row per layout, as data: the columns that must be there, and what each known column becomes.
Columns that are absent are left out of the mapping; others are tolerated, products add columns over
time. Names compare as in `names.folded`. The words for *empty* and the conditions are each product's
own quirks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from grantline.mapping.document import ColumnRule, Condition
from grantline.mapping.names import folded

AWS_WORDS = ("N/A", "no_information", "not_supported")
SAP_NO_DATE = ("00000000", "00.00.0000")
AD_ACCOUNT_CONTROL = tuple(
    (str(number), "disabled" if number & 2 else "enabled")
    for number in (262656, 262658, 328192, 328194, 512, 514, 544, 546, 66048, 66050, 66080, 66082)
)
"""userAccountControl of normal accounts; bit 2 means disabled, the others are password rules."""


LINUX_GROUP = ("group_name", "password", "gid", "members")
"""Columns of /etc/group, which has no header."""


@dataclass(frozen=True)
class Layout:
    """One product's export. `needs` are the headers that tell it from others."""

    name: str
    label: str
    needs: tuple[str, ...]
    columns: tuple[ColumnRule, ...]
    constants: tuple[tuple[str, str], ...] = ()
    where: tuple[Condition, ...] = ()
    only: bool = field(default=False)
    """Whether no other column may be there: short headers that many files begin with."""


def _to(source: str, to: str, **options: object) -> ColumnRule:
    return ColumnRule(source, to, **options)  # type: ignore[arg-type]


def _profile(*names: str) -> tuple[ColumnRule, ...]:
    return tuple(ColumnRule(name, "profile." + folded_words(name)) for name in names)


def folded_words(name: str) -> str:
    """`costCenter` and `Cost Center` as the name of a profile attribute: `cost_center`."""
    words = "".join("_" + sign.lower() if sign.isupper() else sign for sign in name.replace(" ", "_"))
    return "_".join(part for part in words.split("_") if part)


LAYOUTS: tuple[Layout, ...] = (
    Layout(
        "ad-group-members",
        "Active Directory: Get-ADGroupMember",
        ("SamAccountName", "objectGUID", "SID", "objectClass"),
        (
            _to("SamAccountName", "account.id"),
            _to("name", "account.display_name"),
            *_profile("distinguishedName", "objectClass", "objectGUID", "SID"),
        ),
    ),
    Layout(
        "ad-csvde",
        "Active Directory: csvde",
        ("DN", "objectClass", "sAMAccountName"),
        (
            _to("sAMAccountName", "account.id"),
            _to("displayName", "account.display_name"),
            _to("givenName", "account.first_name"),
            _to("sn", "account.last_name"),
            _to("mail", "account.email"),
            _to("userPrincipalName", "account.username"),
            _to("userAccountControl", "account.status", map=AD_ACCOUNT_CONTROL),
            _to("lastLogonTimestamp", "account.last_login_at", date="filetime"),
            _to("whenCreated", "account.created_at"),
            _to("employeeID", "account.employee_id"),
            _to("memberOf", "entitlements", resource_type="group", split=";"),
            *_profile("DN", "objectClass", "department", "title"),
        ),
    ),
    Layout(
        "entra-users",
        "Microsoft Entra ID: users",
        ("userPrincipalName", "displayName", "objectId"),
        (
            _to("objectId", "account.id"),
            _to("userPrincipalName", "account.username"),
            _to("displayName", "account.display_name"),
            _to("givenName", "account.first_name"),
            _to("surname", "account.last_name"),
            _to("mail", "account.email"),
            _to("accountEnabled", "account.status"),
            _to("createdDateTime", "account.created_at"),
            *_profile("userType", "department", "jobTitle"),
        ),
    ),
    Layout(
        "entra-group-members",
        "Microsoft Entra ID: members of a group",
        ("id", "userPrincipalName", "displayName"),
        (
            _to("id", "account.id"),
            _to("userPrincipalName", "account.username"),
            _to("displayName", "account.display_name"),
            _to("givenName", "account.first_name"),
            _to("surname", "account.last_name"),
            _to("mail", "account.email"),
            _to("accountEnabled", "account.status"),
            *_profile("userType", "objectType", "jobTitle"),
        ),
    ),
    Layout(
        "okta-group-members",
        "Okta: group membership report",
        ("Group name", "Okta username", "Okta user status"),
        (
            _to("Okta username", "account.id"),
            _to("User fullname", "account.display_name"),
            _to("Okta user status", "account.status"),
            _to("Group name", "entitlement.name"),
        ),
        (("resource.type", "group"),),
    ),
    Layout(
        "okta-users",
        "Okta: users",
        ("login", "firstName", "lastName", "email"),
        (
            _to("login", "account.id"),
            _to("email", "account.email"),
            _to("firstName", "account.first_name"),
            _to("lastName", "account.last_name"),
            _to("displayName", "account.display_name"),
            _to("userType", "account.type"),
            _to("status", "account.status"),
            _to("employeeNumber", "account.employee_id"),
            _to("managerId", "account.manager_id"),
            *_profile("title", "department", "division", "organization", "costCenter", "city", "countryCode"),
        ),
    ),
    Layout(
        "google-workspace-users",
        "Google Workspace: users",
        ("First Name", "Last Name", "Email Address", "Org Unit Path"),
        (
            _to("Email Address", "account.id"),
            _to("Email Address", "account.email"),
            _to("First Name", "account.first_name"),
            _to("Last Name", "account.last_name"),
            _to("Status", "account.status"),
            _to("Last Sign In", "account.last_login_at", nulls=("Never logged in",)),
            _to("Employee ID", "account.employee_id"),
            _to("Manager Email", "account.manager_id"),
            *_profile("Org Unit Path", "Employee Type", "Employee Title", "Department", "Cost Center"),
        ),
    ),
    Layout(
        "aws-iam-credential-report",
        "AWS IAM: credential report",
        ("user", "arn", "user_creation_time", "password_last_used"),
        (
            _to("user", "account.id"),
            _to("user_creation_time", "account.created_at", nulls=AWS_WORDS),
            _to("password_last_used", "account.last_login_at", nulls=AWS_WORDS),
            *_profile("arn", "password_enabled", "mfa_active", "access_key_1_active", "access_key_2_active"),
        ),
    ),
    Layout(
        "salesforce-permission-set-assignments",
        "Salesforce: PermissionSetAssignment",
        ("AssigneeId", "PermissionSetId"),
        (
            _to("AssigneeId", "account.id", case="sensitive"),
            _to("PermissionSetId", "entitlement.name"),
            _to("ExpirationDate", "grant.expires_at"),
        ),
        (("resource.type", "permission_set"),),
        (
            Condition("IsActive", "not_in", ("false", "FALSE", "0")),
            Condition("IsRevoked", "not_in", ("true", "TRUE", "1")),
        ),
    ),
    Layout(
        "sap-agr-users",
        "SAP: AGR_USERS",
        ("AGR_NAME", "UNAME"),
        (
            _to("UNAME", "account.id"),
            _to("AGR_NAME", "entitlement.name"),
            _to("FROM_DAT", "grant.granted_at", nulls=SAP_NO_DATE),
            _to("TO_DAT", "grant.expires_at", nulls=SAP_NO_DATE),
        ),
        (("resource.type", "role"),),
    ),
    Layout(
        "hris-workers",
        "HR system: workers",
        ("employee_number", "account", "work_email", "employment_status"),
        (
            _to("employee_number", "account.id"),
            _to("account", "account.username"),
            _to("first_name", "account.first_name"),
            _to("last_name", "account.last_name"),
            _to("display_name", "account.display_name"),
            _to("work_email", "account.email"),
            _to("active", "account.status"),
            _to("manager", "account.manager_id"),
            *_profile("start_date", "title", "department", "employment_status", "employment_type", "date_terminated"),
        ),
    ),
    Layout(
        "servicenow-group-members",
        "ServiceNow: sys_user_grmember",
        ("user", "group", "sys_id"),
        (
            _to("user", "account.id"),
            _to("group", "entitlement.name"),
            _to("sys_created_on", "grant.granted_at"),
        ),
        (("resource.type", "group"),),
    ),
    Layout(
        "snowflake-grants-to-users",
        "Snowflake: GRANTS_TO_USERS",
        ("GRANTEE_NAME", "ROLE", "DELETED_ON"),
        (
            _to("GRANTEE_NAME", "account.id", case="sensitive"),
            _to("ROLE", "entitlement.name"),
            _to("CREATED_ON", "grant.granted_at"),
        ),
        (("resource.type", "role"),),
        (Condition("DELETED_ON", "empty"),),
    ),
    Layout(
        "postgresql-role-members",
        "PostgreSQL: pg_auth_members",
        ("roleid", "member", "grantor", "admin_option"),
        (_to("member", "account.id", case="sensitive"), _to("roleid", "entitlement.name")),
        (("resource.type", "role"),),
    ),
    Layout(
        "jira-users",
        "Jira: users and groups",
        ("group_name", "username", "full_name", "email", "active"),
        (
            _to("username", "account.id"),
            _to("full_name", "account.display_name"),
            _to("email", "account.email"),
            _to("active", "account.status"),
            _to("created", "account.created_at"),
            _to("Last active in Jira", "account.last_login_at", nulls=("Never accessed", "Never", "never")),
            _to("last_login", "account.last_login_at", nulls=("Never accessed", "Never", "never")),
            _to("group_name", "entitlement.name"),
        ),
        (("resource.type", "group"),),
    ),
    Layout(
        "sailpoint-accounts",
        "SailPoint: accounts",
        ("id", "name", "displayName", "lastLogon", "groups"),
        (
            _to("id", "account.id"),
            _to("name", "account.username"),
            _to("displayName", "account.display_name"),
            _to("givenName", "account.first_name"),
            _to("familyName", "account.last_name"),
            _to("email", "account.email"),
            _to("status", "account.status"),
            _to("type", "account.type"),
            _to("employeeNumber", "account.employee_id"),
            _to("created", "account.created_at"),
            _to("lastLogon", "account.last_login_at"),
            _to("groups", "entitlements", resource_type="group", split=","),
            *_profile("costCenter", "country", "department", "division"),
        ),
    ),
    Layout(
        "sailpoint-entitlements",
        "SailPoint: entitlements",
        ("id", "name", "displayName", "description"),
        (
            _to("id", "entitlement.name"),
            _to("displayName", "entitlement.display_name"),
            _to("name", "entitlement.slug"),
            _to("description", "entitlement.description"),
        ),
        (("resource.type", "entitlement"),),
        only=True,
    ),
    Layout(
        "veza-users",
        "Veza: users",
        ("user_name", "email", "full_name", "is_active"),
        (
            _to("user_name", "account.id"),
            _to("email", "account.email"),
            _to("full_name", "account.display_name"),
            _to("created_at", "account.created_at"),
            _to("last_login", "account.last_login_at"),
            _to("is_active", "account.status"),
            *_profile("department"),
        ),
    ),
    Layout(
        "veza-roles",
        "Veza: roles",
        ("role_name", "group_id", "user_name"),
        (_to("user_name", "account.id"), _to("role_name", "entitlement.name")),
        (("resource.type", "role"),),
        (Condition("user_name", "filled"),),
        only=True,
    ),
    Layout(
        "github-organization-members",
        "GitHub: organization members",
        ("login", "role", "is_public"),
        (
            _to("login", "account.id"),
            _to("name", "account.display_name"),
            _to("email", "account.email"),
            _to("last_active", "account.last_login_at"),
            _to("role", "entitlement.name"),
            *_profile("tfa_enabled", "is_public", "saml_name_id"),
        ),
        (("resource.type", "organization_role"),),
    ),
    Layout(
        "oracle-idcs-groups",
        "Oracle IDCS: groups",
        ("Display Name", "User Members"),
        (
            _to("Display Name", "entitlement.name"),
            _to("Description", "entitlement.description"),
            _to("User Members", "members", split=";"),
        ),
        (("resource.type", "group"),),
    ),
    Layout(
        "microstrategy-users",
        "MicroStrategy: users",
        ("NAME", "FULLNAME", "PARENTS"),
        (
            _to("NAME", "account.id"),
            _to("FULLNAME", "account.display_name"),
            _to("PARENTS", "entitlements", resource_type="group", split="[]"),
        ),
    ),
    Layout(
        "linux-group",
        "Linux: group(5)",
        LINUX_GROUP,
        (
            _to("group_name", "entitlement.name"),
            _to("members", "members", split=","),
        ),
        (("resource.type", "group"),),
        # Lines of NIS take in another machine's groups; they are none themselves.
        (Condition("group_name", "not_in", ("+", "-")),),
        only=True,
    ),
    Layout(
        "oracle-epm-group-assignments",
        "Oracle EPM: users and groups",
        ("User Login", "First Name", "Last Name", "Email", "Group"),
        (
            _to("User Login", "account.id"),
            _to("First Name", "account.first_name"),
            _to("Last Name", "account.last_name"),
            _to("Email", "account.email"),
            _to("Group", "entitlement.name"),
        ),
        (("resource.type", "group"),),
    ),
)
"""Every layout that is recognized; the first that fits is taken."""


def recognize(columns: Sequence[str]) -> Layout | None:
    """The layout that a header belongs to; None where it is none of the known ones."""
    names = {folded(column) for column in columns}
    for layout in LAYOUTS:
        needs = {folded(name) for name in layout.needs}
        if needs <= names and (not layout.only or len(columns) == len(needs)):
            return layout
    return None
