"""The one error tree.

Owns every code that Grantline can answer with. A class has a stable `code`, a docstring that is its
safe message, its facts as attributes, a `remedy` in words and one mark: *retry* (the same call may
succeed later) or *final*. Bad rows are not errors: they are data, see `grantline.issues`.
Leaves to `api`, `web` and `cli` how an error is shown; the one table `ANSWERS` says with which HTTP
status, exit code and run state.

    GrantlineError
    ├── FileError            the whole file is refused; the last good data stays
    │   ├── FileEmpty · FileEncoding · FileStructure
    │   ├── HeaderMissing · HeaderDuplicate
    │   └── MappingInvalid
    ├── SourceError          the object could not be read; the last good data stays
    │   ├── SourceNotFound · SourceDenied · SourceKmsDenied · SourceArchived
    │   ├── SourceRegion · SourceCredentials · SourceClock
    │   ├── SourceChanged · SourceTruncated · SourceIncompleteSet · SourceTooLarge
    │   └── SourceUnavailable
    ├── RemovalGuard         the fall is too big; the run is held, nothing changed
    ├── RequestError         somebody asked for something that cannot be done as asked
    │   ├── InputInvalid · NotFound · Conflict
    │   └── NotSignedIn · NotAllowed
    └── InstallationError    the machine or its settings stop Grantline from working
        ├── SettingInvalid · DataDirectoryInUse · DatabaseUnavailable · LakeUnavailable
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

Mark = Literal["retry", "final"]


class GrantlineError(Exception):
    """Something went wrong in Grantline."""

    code: ClassVar[str] = "internal"
    mark: ClassVar[Mark] = "final"
    default_remedy: ClassVar[str] = "Try again; if it happens again, tell the people who run Grantline."

    def __init__(
        self,
        message: str | None = None,
        *,
        remedy: str | None = None,
        row: int | None = None,
        line: int | None = None,
        column: str | None = None,
        cell: str | None = None,
        **facts: Any,
    ) -> None:
        self.message = message or (type(self).__doc__ or "").strip().splitlines()[0]
        self.remedy = remedy or type(self).default_remedy
        self.row, self.line, self.column, self.cell = row, line, column, cell
        self.facts = facts
        super().__init__(self.message)

    def document(self) -> dict[str, Any]:
        """`{code, message, remedy, row, line, column, cell}`, the error object of `grantline check`."""
        return {
            "code": self.code,
            "message": self.message,
            "remedy": self.remedy,
            "row": self.row,
            "line": self.line,
            "column": self.column,
            "cell": self.cell,
        }


class FileError(GrantlineError):
    """The file cannot be imported as it is."""

    code = "file_structure"
    default_remedy = "Correct the file and put it in the bucket again; the last good data is kept."


class FileEmpty(FileError):
    """The file holds no data rows."""

    code = "file_empty"
    default_remedy = "Check the job that writes the file; an empty file never removes anybody."


class FileEncoding(FileError):
    """The file's text encoding is not the one expected."""

    code = "file_encoding"
    default_remedy = "Save the file as UTF-8, or name its encoding in the mapping (file.encoding)."


class FileStructure(FileError):
    """The file's structure is broken."""

    code = "file_structure"


class HeaderMissing(FileError):
    """A column that is needed is not in the header."""

    code = "header_missing"
    default_remedy = "Give the file this column, or map another column to its target."


class HeaderDuplicate(FileError):
    """Two columns have the same name or the same target."""

    code = "header_duplicate"
    default_remedy = "Rename one of the columns, or leave both out of the mapping."


class MappingInvalid(FileError):
    """The mapping document cannot be used."""

    code = "mapping_invalid"
    default_remedy = "Correct the mapping; docs/reference/mapping lists every option and target."


class SourceError(GrantlineError):
    """The object could not be read from the bucket."""

    code = "source_unavailable"
    default_remedy = "Run the connection check of the data source; it says which step fails."


class SourceNotFound(SourceError):
    """There is no such object in the bucket."""

    code = "source_not_found"
    default_remedy = "Check the object's name, or put the file back; the last good data is kept."


class SourceDenied(SourceError):
    """The bucket refused to let Grantline read."""

    code = "source_denied"
    default_remedy = "Compare the role's permission policy with the one shown on the data source's page."


class SourceKmsDenied(SourceError):
    """The object is encrypted with a KMS key that the role may not use."""

    code = "source_kms_denied"
    default_remedy = "Allow kms:Decrypt on the key for the role, in the role's policy and in the key policy."


class SourceRegion(SourceError):
    """The bucket is in another region, or the region is not enabled."""

    code = "source_region"
    default_remedy = "Correct the region on the data source's page, or leave it empty so that it is found."


class SourceArchived(SourceError):
    """The object is archived and must be restored before it can be read."""

    code = "source_archived"
    default_remedy = "Restore the object in S3, or point the import at one that is not archived."


class SourceCredentials(SourceError):
    """The role could not be assumed."""

    code = "source_credentials"
    default_remedy = "Run the connection check of the data source; it shows the trust policy to compare."


class SourceClock(SourceError):
    """The clock of Grantline's machine is too far off for AWS."""

    code = "source_clock"
    mark = "retry"
    default_remedy = "The people who run Grantline must set the machine's clock (NTP)."


class SourceChanged(SourceError):
    """The object was replaced while it was being read, more than once."""

    code = "source_changed"
    mark = "retry"
    default_remedy = "Nothing to do: the next look reads it again. Write the file once, not in pieces."


class SourceTruncated(SourceError):
    """Fewer bytes arrived than the object has."""

    code = "source_truncated"
    mark = "retry"
    default_remedy = "Nothing to do: the next look reads it again."


class SourceIncompleteSet(SourceError):
    """Not all files of the set are there."""

    code = "source_incomplete_set"
    mark = "retry"
    default_remedy = "Wait until the job that writes the files has finished, or correct the manifest."


class SourceTooLarge(SourceError):
    """The file is larger than the limit."""

    code = "source_too_large"
    default_remedy = "Split the file, or have the people who run Grantline raise the limit named here."


class SourceUnavailable(SourceError):
    """AWS did not answer, or asked to slow down."""

    code = "source_unavailable"
    mark = "retry"
    default_remedy = "Nothing to do: the next look tries again."


class RemovalGuard(GrantlineError):
    """The file would remove more than the import's guard allows."""

    code = "removal_guard"
    default_remedy = "Look at what would go, then approve the run or discard it."


class RequestError(GrantlineError):
    """The request cannot be carried out as it was made."""

    code = "input_invalid"
    default_remedy = "Correct the request and send it again."


class InputInvalid(RequestError):
    """A value is not valid.

    `field` names the field of the form or body; where several are wrong, `fields` maps each to its
    message.
    """

    code = "input_invalid"

    def __init__(
        self,
        message: str,
        *,
        field: str | None = None,
        fields: dict[str, str] | None = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.field = field
        self.fields = fields or ({field: message} if field else {})


class NotFound(RequestError):
    """There is no such thing, or it is not yours."""

    code = "not_found"
    default_remedy = "Check the id; it must belong to your organization."


class Conflict(RequestError):
    """The thing is not in a state that allows this."""

    code = "conflict"


class NotSignedIn(RequestError):
    """Nobody is signed in, or the token is missing, unknown, revoked or expired."""

    code = "not_signed_in"
    default_remedy = "Send 'Authorization: Bearer <token>' with a token made under Settings, Tokens."


class NotAllowed(RequestError):
    """Your role does not allow this."""

    code = "not_allowed"
    default_remedy = "Ask a Super Administrator of your organization."


class InstallationError(GrantlineError):
    """Grantline cannot work on this machine as it is set up."""

    code = "installation"
    default_remedy = "Correct the setting named here and start again."


class SettingInvalid(InstallationError):
    """A setting has a value that cannot be used."""

    code = "setting_invalid"


class DataDirectoryInUse(InstallationError):
    """Another Grantline already serves this data directory."""

    code = "data_directory_in_use"
    default_remedy = "Stop the other one, or give this one another GRANTLINE_DATA_DIR."


class DatabaseUnavailable(InstallationError):
    """PostgreSQL cannot be reached or started."""

    code = "database_unavailable"
    mark = "retry"
    default_remedy = "Check GRANTLINE_DATABASE_URL, or the free space and rights of the data directory."


class LakeUnavailable(InstallationError):
    """The folder of the versions cannot be read or written."""

    code = "lake_unavailable"
    mark = "retry"
    default_remedy = "Check the free space and rights of the data directory (or GRANTLINE_LAKE_URL)."


@dataclass(frozen=True)
class Answer:
    """How one code is answered: HTTP status, exit code of the CLI, state of a run it ends."""

    status: int
    exit_code: int
    run_state: Literal["failed", "held"]


ANSWERS: dict[str, Answer] = {
    "internal": Answer(500, 70, "failed"),
    **{
        code: Answer(422, 2, "failed")
        for code in (
            "file_empty",
            "file_encoding",
            "file_structure",
            "header_missing",
            "header_duplicate",
            "mapping_invalid",
            "source_too_large",
        )
    },
    **{
        code: Answer(502, 2, "failed")
        for code in (
            "source_not_found",
            "source_denied",
            "source_kms_denied",
            "source_region",
            "source_archived",
            "source_credentials",
            "source_clock",
            "source_changed",
            "source_truncated",
            "source_incomplete_set",
            "source_unavailable",
        )
    },
    "removal_guard": Answer(409, 2, "held"),
    "input_invalid": Answer(422, 64, "failed"),
    "not_found": Answer(404, 64, "failed"),
    "conflict": Answer(409, 64, "failed"),
    "not_signed_in": Answer(401, 77, "failed"),
    "not_allowed": Answer(403, 77, "failed"),
    "installation": Answer(503, 78, "failed"),
    "setting_invalid": Answer(503, 78, "failed"),
    "data_directory_in_use": Answer(503, 78, "failed"),
    "database_unavailable": Answer(503, 69, "failed"),
    "lake_unavailable": Answer(503, 69, "failed"),
}


def answer(error: GrantlineError) -> Answer:
    """How `error` is answered; every code of the tree has a row (tests/unit/test_errors.py)."""
    return ANSWERS[error.code]
