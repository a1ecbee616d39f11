"""What the mapping needs of a file: the shape that `formats` hands on, without knowing it.

Owns the protocols `Source` and `Place`; see `grantline.formats.table` for the meaning of each part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from grantline.issues import Issue


class Place(Protocol):
    """Where a record starts."""

    @property
    def line(self) -> int | None: ...
    @property
    def sheet(self) -> str | None: ...
    @property
    def sheet_row(self) -> int | None: ...
    @property
    def first_column(self) -> int: ...
    @property
    def path(self) -> str | None: ...


class Unproven(Exception):
    """The rows do not keep what their reader promised; the file has to be read again, exactly."""


class Source(Protocol):
    """A file as one relation of text cells."""

    @property
    def columns(self) -> tuple[str, ...]: ...
    @property
    def rows(self) -> str: ...
    @property
    def numbered(self) -> str: ...
    @property
    def doubtful(self) -> str | None: ...
    @property
    def places(self) -> Callable[[Iterable[int]], Mapping[int, Place]]: ...
    @property
    def issues(self) -> tuple[Issue, ...]: ...
    @property
    def rejected_count(self) -> int: ...
    @property
    def expected_count(self) -> Callable[[], int | None] | None: ...
    @property
    def separators(self) -> Mapping[str, str]: ...
    @property
    def original(self) -> Source | None: ...
