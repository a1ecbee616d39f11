"""Files by hand: a multipart form with the file, streamed to disk, queued as a run."""

from __future__ import annotations

from typing import Annotated

from ninja import File, Form, Router, Status, UploadedFile
from pydantic import Field

from grantline.api.bearer import ApiRequest
from grantline.api.documents import Document
from grantline.api.import_documents import ImportDocument, import_document
from grantline.api.openapi import answers
from grantline.api.run_documents import RunDocument, run_document
from grantline.jobs.uploads import take_upload
from grantline.mapping.document import load as load_mapping

router = Router(tags=["imports"])


class UploadAnswer(Document):
    """The import that takes the file, and the run that reads it."""

    of_import: ImportDocument = Field(serialization_alias="import")
    run: RunDocument


@router.post("/{application_id}/uploads", response=answers(202, UploadAnswer, 404, 409, body=True), by_alias=True)
def upload_file(
    request: ApiRequest,
    application_id: str,
    file: Annotated[UploadedFile, File(description="The file.")],
    import_id: Annotated[str, Form("", description="An import that takes files by hand; empty: a new one.")],
    mapping: Annotated[str, Form("", description="A mapping document (YAML or JSON); empty: the import's own.")],
) -> Status[UploadAnswer]:
    """Import a file by hand, into a new import or into one that takes files by hand."""
    item, run = take_upload(
        request.scope,
        application_id,
        file.chunks(),
        file.name or "",
        import_id=import_id or None,
        mapping=load_mapping(mapping).to_document() if mapping.strip() else None,
    )
    return Status(202, UploadAnswer(of_import=import_document(item), run=run_document(run)))
