"""Files taken by hand.

In: a stream of bytes and the name that the person's machine gave the file. Out: an `Upload` whose bytes
lie under the data directory in a file named by its id, hashed and counted; and a run of the import that
takes it. The person's name for the file is kept as text only, it is never part of a path.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from grantline.control.applications.models import Application
from grantline.control.applications.rules import require
from grantline.control.imports import rules as imports
from grantline.control.imports.models import Import, Upload
from grantline.control.organizations.roles import Permission
from grantline.control.runs.models import Run, Trigger
from grantline.control.tenancy import Scope, get
from grantline.errors import Conflict, FileEmpty, InputInvalid, SourceTooLarge
from grantline.jobs.fetching import upload_path
from grantline.jobs.installation import MIB, upload_folder

NAME_LIMIT = 255


def store_upload(
    scope: Scope, application_id: str, chunks: Iterable[bytes], file_name: str, *, allow_empty: bool = False
) -> Upload:
    """Keep a file by hand. Streams; memory does not grow with the file.

    Raises: `SourceTooLarge` above `GRANTLINE_UPLOAD_LIMIT_MB`, `FileEmpty`, `InputInvalid` for the name.
    """
    application = get(Application, scope, application_id)
    require(scope, application, Permission.IMPORT_WRITE)
    name = clean_file_name(file_name)
    folder = upload_folder(scope.organization_id)
    descriptor, draft = tempfile.mkstemp(prefix="upload-", dir=folder)
    try:
        with os.fdopen(descriptor, "wb") as target:
            size, digest = _write(target, chunks, name, allow_empty=allow_empty)
        upload = Upload.objects.create(
            organization_id=scope.organization_id,
            application=application,
            file_name=name,
            size_bytes=size,
            sha256=digest,
            created_by=scope.actor_name,
        )
        Path(draft).rename(upload_path(upload))
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    return upload


def take_upload(
    scope: Scope,
    application_id: str,
    chunks: Iterable[bytes],
    file_name: str,
    *,
    import_id: str | None = None,
    mapping: dict[str, Any] | None = None,
) -> tuple[Import, Run]:
    """Import a file by hand: into the import named, or into a new one that takes files by hand.

    Raises: as `store_upload`; `MappingInvalid`; `Conflict` where the import reads from a bucket or a run
    of it is under way.
    """
    allow_empty = False
    if import_id is not None:
        item = imports.read(scope, import_id)
        require(scope, item.application, Permission.IMPORT_WRITE)
        _refuse_other_import(item, application_id)
        allow_empty = item.allow_empty
    upload = store_upload(scope, application_id, chunks, file_name, allow_empty=allow_empty)
    return import_upload(scope, upload, import_id=import_id, mapping=mapping)


@transaction.atomic
def import_upload(
    scope: Scope, upload: Upload, *, import_id: str | None = None, mapping: dict[str, Any] | None = None
) -> tuple[Import, Run]:
    """A run that imports a kept file; see `take_upload`."""
    from grantline.jobs.requests import sync

    if import_id is None:
        item = imports.create(scope, upload.application_id, {"mapping": mapping or {}})
    else:
        item = imports.read(scope, import_id)
        _refuse_other_import(item, upload.application_id)
        if mapping is not None:
            item = imports.change(scope, import_id, {"mapping": mapping})
    return item, sync(scope, item.pk, Trigger.UPLOAD, upload=upload)


def clean_file_name(name: str) -> str:
    """A name that can be shown: its last part, without control and direction characters.

    Raises: `InputInvalid` where nothing is left.
    """
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(sign for sign in last if unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Co")).strip()
    if not shown:
        raise InputInvalid("The file has no name.", field="file")
    return shown[:NAME_LIMIT]


def _refuse_other_import(item: Import, application_id: str) -> None:
    if item.data_source_id is not None or item.application_id != application_id:
        raise Conflict(
            "That import reads from a bucket, or belongs to another application.",
            remedy="Name an import of this application that takes files by hand, or none for a new one.",
        )


def _write(target: Any, chunks: Iterable[bytes], name: str, *, allow_empty: bool = False) -> tuple[int, str]:
    limit = settings.GRANTLINE.upload_limit_mb * MIB
    digest, size = hashlib.sha256(), 0
    for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise SourceTooLarge(
                f"{name} is larger than {settings.GRANTLINE.upload_limit_mb:,} MB, the limit for files by hand.",
                remedy="Put it in a bucket and import it from there, or have GRANTLINE_UPLOAD_LIMIT_MB raised.",
            )
        digest.update(chunk)
        target.write(chunk)
    if size == 0 and not allow_empty:
        raise FileEmpty(f"{name} is empty (0 bytes).")
    target.flush()
    os.fsync(target.fileno())
    return size, digest.hexdigest()
