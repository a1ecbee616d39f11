"""Headers that say themselves that the file is not complete.

A directory export cuts a long list and says so in the header (`member;range=0-1499`): the rest of the
members is not in the file, so importing it would remove them. `;range=0-*` is the last part, complete.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from grantline.errors import FileStructure

RANGED = re.compile(r";range=\d+-(\d+)$", re.IGNORECASE)


def refuse_ranged(columns: Sequence[str]) -> None:
    """Raises: `FileStructure` where a header is a cut range of an attribute."""
    for name in columns:
        found = RANGED.search(name)
        if found:
            raise FileStructure(
                f"The column {name} is a ranged attribute: its list is cut at {int(found.group(1)) + 1}.",
                remedy="Export the attribute in full (all ranges joined), or export one row for each member.",
                column=name,
            )
