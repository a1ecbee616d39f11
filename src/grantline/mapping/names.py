"""Known header names and what they mean.

Owns the list of names, compared without letter case, spaces, punctuation and bracket suffixes: `User
ID`, `user_id`, `UserID` and `User ID [Required]` are one name. A name is listed only where it means the
same wherever it is seen; what depends on the product is in `layouts`.
"""

from __future__ import annotations

import re
import unicodedata

from grantline.mapping.sql import INVISIBLE
from grantline.mapping.targets import PROFILE

_SUFFIX = re.compile(r"\s*[\[(][^\])]*[\])]\s*$")
_TEMPLATE = re.compile(r"\[([A-Za-z]\w*)\]\s+(?:Required|Optional)\s*$", re.IGNORECASE)
"""`User name [userPrincipalName] Required`: the name that counts is the one inside."""
_SIGNS = re.compile(r"[^\w;=*-]|_", re.UNICODE)


def plain(header: str) -> str:
    """`header` as a mapping's `source` is compared with it: in NFC, without invisible signs around."""
    return unicodedata.normalize("NFC", header).strip(INVISIBLE)


def folded(header: str) -> str:
    """`header` as names are compared: `First Name [Required]` is `firstname`."""
    template = _TEMPLATE.search(header)
    header = template.group(1) if template else header
    text = plain(header)
    return _SIGNS.sub("", _SUFFIX.sub("", text).casefold()).replace("-", "")


def _each(target: str, *names: str) -> dict[str, str]:
    return {folded(name): target for name in names}


KEY_NAMES: tuple[str, ...] = tuple(
    folded(name)
    for name in (
        "User ID",
        "Account ID",
        "Unique ID",
        "User UID",
        "Account",
        "Account Name",
        "User",
        "Member",
        "Member ID",
        "Principal",
        "Principal ID",
        "Identity ID",
        "SamAccountName",
        "UID",
        "ID",
    )
)
"""Folded names of a column that identifies accounts; where several are there, the first is taken. An
e-mail address or a username is not among them: both change when a person marries."""

NAMES: dict[str, str] = {
    **_each("account.email", "Email Address", "Email", "E-mail", "E-mail address", "Mail", "Work Email"),
    **_each("account.email", "User Email", "Primary Email", "Email ID"),
    **_each("account.username", "SamAccountName", "User Principal Name", "UPN"),
    **_each("account.username", "Username", "User Name", "Login", "Login Name", "User Login", "Logon Name"),
    **_each("account.display_name", "Full Name", "Display Name", "Name", "User Full Name"),
    **_each("account.first_name", "First Name", "Given Name", "Forename"),
    **_each("account.last_name", "Last Name", "Surname", "Family Name"),
    **_each("account.status", "User Status", "Status", "Account Status", "Active", "Is Active", "Enabled"),
    **_each("account.status", "Is Enabled", "Account Enabled"),
    **_each("account.manager_id", "Manager ID", "Manager"),
    **_each("account.type", "User Type", "Account Type"),
    **_each("account.owner_email", "Account Owner", "Owner", "Owner Email", "Account Owner Email"),
    **_each("account.employee_id", "Employee ID", "Employee Number", "Personnel Number"),
    **_each("account.last_login_at", "Last Login", "Last Login Date", "Last Login At", "Last Logon"),
    **_each("account.last_login_at", "Last Sign In", "Last Sign-in", "Last Login Time"),
    **_each("account.created_at", "Created At", "Created", "Created On", "Creation Date", "Date Created"),
    **_each("resource.type", "Resource Type"),
    **_each("resource.name", "Resource Name", "Resource"),
    **_each("entitlement.name", "Entitlement", "Entitlement Name"),
    **_each("entitlement.display_name", "Entitlement Display Name"),
    **_each("entitlement.slug", "Entitlement Slug"),
    **_each("entitlement.description", "Entitlement Description"),
    **_each("grant.granted_at", "Granted At", "Grant Date", "Granted On", "Valid From"),
    **_each("grant.expires_at", "Expires At", "Expiration Date", "Valid To", "Valid Until"),
    **_each("entitlements", "Groups", "Group Memberships", "Roles", "Permissions", "Profiles", "Entitlements"),
    **_each("entitlements", "Permission Sets", "Licenses", "memberOf"),
    **_each("row.kind", "Type", "Row Type", "Record Type"),
}
"""Folded name → target. `Type` is the row's kind only where the row names an entitlement."""

ENTITLEMENT_COLUMNS: tuple[str, ...] = tuple(
    folded(name) for name in ("Group", "Group Name", "Group ID", "Role", "Role Name", "Role ID", "Permission")
)
"""Folded names of a column with one entitlement in each row."""

ENTITLEMENT_COLUMNS_BY_ID: tuple[str, ...] = tuple(
    folded(name) for name in ("Group ID", "Role ID", "Group Name", "Role Name", "Group", "Role", "Permission")
)
"""The same, in the order in which one is taken for the key of a list of groups or roles."""

LIST_SEPARATORS: dict[str, str] = {"memberof": ";"}
"""Separators of list columns that are not separated by commas: distinguished names hold commas."""

PROFILE_NAMES: dict[str, str] = {
    folded(name): PROFILE + name.lower().replace(" ", "_")
    for name in (
        "Title",
        "Job Title",
        "Department",
        "Division",
        "Company",
        "Organization",
        "Cost Center",
        "Location",
        "Office",
        "City",
        "Country",
        "Business Unit",
        "Employment Type",
    )
}
"""Folded name → profile target: what identity systems know about a person, without contact data."""

RESOURCE_TYPES: dict[str, str] = {
    **dict.fromkeys(("group", "groups", "groupmemberships", "memberof", "groupname", "groupid"), "group"),
    **dict.fromkeys(("role", "roles", "rolename", "roleid", "agrname"), "role"),
    **dict.fromkeys(("permission", "permissions"), "permission"),
    **dict.fromkeys(("permissionset", "permissionsets"), "permission_set"),
    **dict.fromkeys(("profile", "profiles"), "profile"),
    **dict.fromkeys(("license", "licenses"), "license"),
    **dict.fromkeys(("entitlement", "entitlements", "entitlementname"), "entitlement"),
}


def resource_type_of(header: str) -> str:
    """The resource type that a column's name suggests; its own words where it suggests none."""
    known = RESOURCE_TYPES.get(folded(header))
    return known or re.sub(r"\W+", "_", _SUFFIX.sub("", header).strip().lower()).strip("_") or "entitlement"
