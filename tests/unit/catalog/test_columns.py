"""The column lists are those of the records that `mapping` makes."""

from __future__ import annotations

from grantline.catalog import columns
from grantline.mapping import records


def test_columns_equal_those_of_records():
    assert (*records.ACCOUNT_FIELDS, "profile") == columns.ACCOUNT_FIELDS
    assert columns.ENTITLEMENT_KEY == records.ENTITLEMENT_KEY
    assert columns.ENTITLEMENT_FIELDS == records.ENTITLEMENT_FIELDS
    assert columns.GRANT_FIELDS == records.GRANT_FIELDS
