"""Files that come in parts, in the manner of tus 1.0: begin, add a part, ask how much has come."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from flask import Response, request, url_for
from werkzeug.exceptions import ClientDisconnected

from app.core import jobs
from app.core.access import Role
from app.core.errors import RuleBroken
from app.entrypoints import resumable
from app.entrypoints.api.blueprint import Blueprint
from app.entrypoints.door import config, current_actor, db, now, roles, services
from app.entrypoints.uploads import plain_name
from app.entrypoints.wire import uploads as wire
from app.stages.imports import operations, queries

LARGEST_PART = 64 * 1024 * 1024
CHECKED_BY = "sha256"
HEADERS = {"Tus-Resumable": "1.0.0", "Cache-Control": "no-store"}
blueprint = Blueprint(
    "uploads", __name__, url_prefix="/api/v1/uploads", description="Files of any size, in parts"
)


@blueprint.route("", methods=["POST"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(wire.UploadForm)
@blueprint.response(201, wire.Upload)
def begin_upload(form: dict[str, Any]) -> Any:
    """Begin an upload

    The answer's `Location` is where its parts go. Uploads that nothing is added to are forgotten after a day.
    """
    resumable.drop_expired(services())
    form["file_name"] = plain_name(form["file_name"])
    with db().transaction() as session:
        upload_id = operations.begin_upload(
            session, largest=config().max_resumable_bytes, actor=current_actor(), now=now(), **form
        )
        upload = queries.get_upload(session, upload_id=upload_id, owner=None)
    return upload, 201, {**HEADERS, "Location": url_for("uploads.get_upload", upload_id=upload_id)}


@blueprint.route("/<upload_id>", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.Upload)
def get_upload(upload_id: str) -> Any:
    """How much of an upload has come, and what became of it

    HEAD says it in the headers `Upload-Offset` and `Upload-Length`.
    """
    with db().reading() as session:
        upload = queries.get_upload(session, upload_id=upload_id, owner=current_actor().name)
    return upload, 200, _told(upload)


@blueprint.route("/<upload_id>", methods=["PATCH"])
@roles(Role.MERCHANDISER)
@blueprint.doc(
    requestBody={"required": True, "content": {"application/offset+octet-stream": {}}},
    parameters=[
        {"in": "header", "name": "Upload-Offset", "required": True, "schema": {"type": "integer"}},
        {
            "in": "header",
            "name": "Upload-Checksum",
            "schema": {"type": "string"},
            "description": "`sha256` and the digest of this part in base64; another part is refused.",
        },
    ],
)
@blueprint.response(204)
def add_part(upload_id: str) -> Any:
    """Add a part

    At most 64 MB, from the byte `Upload-Offset` on; what came of a part whose sender broke off counts. The
    last part begins the import; the header `Upload-Job` is its job.
    """
    actor, here = current_actor(), services()
    start = _offset()
    with db().reading() as session:
        upload = queries.get_upload(session, upload_id=upload_id, owner=actor.name)
    operations.check_part(upload, start=start)
    wanted = _checksum()
    request.max_content_length = LARGEST_PART
    name, size, digest = resumable.keep_part(here, upload_id, _read)
    try:
        if wanted is not None and digest != wanted:
            raise RuleBroken("part_checksum", "This part is not what its checksum says; send it again.")
        with db().transaction() as session:
            upload = operations.take_part(
                session, upload_id=upload_id, start=start, size=size, name=name, actor=actor, now=now()
            )
            if upload.state == "complete":
                job = jobs.enqueue(
                    session,
                    name=resumable.JOB,
                    arguments={"upload_id": upload_id},
                    actor=actor,
                    now=now(),
                )
                operations.give_to_job(session, upload_id=upload_id, job_id=job.id)
                upload = queries.get_upload(session, upload_id=upload_id, owner=None)
    except BaseException:
        resumable.drop_part(here, upload_id, name)
        raise
    return Response(status=204, headers=_told(upload))


@blueprint.route("/<upload_id>", methods=["DELETE"])
@roles(Role.MERCHANDISER)
@blueprint.response(204)
def drop_upload(upload_id: str) -> Any:
    """Drop an upload

    One that has come to its end belongs to its job.
    """
    with db().transaction() as session:
        operations.drop_upload(session, upload_id=upload_id, actor=current_actor())
    resumable.drop_parts(services(), upload_id)
    return Response(status=204, headers=HEADERS)


def _told(upload: queries.UploadFact) -> dict[str, str]:
    told = {"Upload-Offset": str(upload.received), "Upload-Length": str(upload.size), **HEADERS}
    return told | ({"Upload-Job": str(upload.job_id)} if upload.job_id else {})


def _offset() -> int:
    told = request.headers.get("Upload-Offset", "")
    if not (told.isascii() and told.isdigit() and len(told) < 16):
        raise RuleBroken("upload_offset_missing", "Say in Upload-Offset at which byte this part begins.")
    if request.mimetype != "application/offset+octet-stream":
        raise RuleBroken("part_type", "Send a part as application/offset+octet-stream.")
    return int(told)


def _checksum() -> str | None:
    """The digest this part should have, in hex."""
    told = request.headers.get("Upload-Checksum")
    if told is None:
        return None
    kind, _, digest = told.partition(" ")
    try:
        raw = base64.b64decode(digest, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if kind != CHECKED_BY or len(raw) != 32:
        raise RuleBroken("checksum_unknown", "Upload-Checksum is sha256, a blank, and a digest in base64.")
    return raw.hex()


def _read(size: int) -> bytes:
    try:
        return request.stream.read(size)
    except (ClientDisconnected, OSError):
        raise resumable.BrokenOff from None
