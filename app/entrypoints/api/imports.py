"""Order files in, and what became of their rows."""

from __future__ import annotations

import csv
import io
from typing import Any

from flask import Response, request
from flask_smorest.fields import Upload

from app.core.access import Role
from app.entrypoints.api.blueprint import Blueprint
from app.entrypoints.door import current_actor, db, now, roles
from app.entrypoints.uploads import import_upload
from app.entrypoints.wire import imports as wire
from app.entrypoints.wire.basics import PageAfterRow, PageBefore
from app.stages.imports import operations, queries

blueprint = Blueprint(
    "imports", __name__, url_prefix="/api/v1", description="Files in, with every row accounted for"
)


class ImportForm(wire.ImportForm):
    file = Upload(metadata={"description": "CSV, XLSX, Parquet, NDJSON or ZIP"})


@blueprint.route("/imports", methods=["POST"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(ImportForm, location="form", content_type="multipart/form-data")
@blueprint.response(201, wire.Imported)
def import_orders(form: dict[str, Any]) -> Any:
    """Import an order file

    Every row read is accepted, a known duplicate, or rejected with a reason; the three add up. A long file is
    stored in chunks: should the connection break, send it again, and it goes on where it was. The same file
    again, once all of it is there, changes nothing and says so.
    """
    return import_upload(
        request.files.get("file"), channel=form["channel"], mapping=form["mapping"], actor=current_actor()
    )


@blueprint.route("/imports", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(PageBefore, location="query")
@blueprint.response(200, wire.Batch(many=True))
def list_batches(page: dict[str, Any]) -> Any:
    """Imported files, newest first"""
    with db().reading() as session:
        return queries.list_batches(session, **page)


@blueprint.route("/imports/<int:batch_id>", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.Batch)
def get_batch(batch_id: int) -> Any:
    """One imported file"""
    with db().reading() as session:
        return queries.get_batch(session, batch_id=batch_id)


@blueprint.route("/imports/<int:batch_id>/stop", methods=["POST"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.Batch)
def stop_import(batch_id: int) -> Any:
    """Stop an import behind its present chunk

    What came before stays. The same file again goes on.
    """
    with db().transaction() as session:
        return operations.stop_import(session, batch_id=batch_id, actor=current_actor(), now=now())


@blueprint.route("/imports/<int:batch_id>/rejects", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.arguments(PageAfterRow, location="query")
@blueprint.response(200, wire.RejectedRow(many=True))
def rejected_rows(page: dict[str, Any], batch_id: int) -> Any:
    """Rows kept out, with row, column, code and sentence

    With `Accept: text/csv` the whole list comes as one CSV file.
    """
    wants_csv = request.accept_mimetypes.best_match(["application/json", "text/csv"]) == "text/csv"
    with db().reading() as session:
        queries.get_batch(session, batch_id=batch_id)
        if not wants_csv:
            return queries.rejected_rows(session, batch_id=batch_id, **page)
        return Response(
            _csv(queries.rejected_rows(session, batch_id=batch_id)),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="rejects-{batch_id}.csv"'},
        )


def _csv(rows: list[Any]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["row", "column", "code", "sentence"])
    writer.writerows([row.row, row.column, row.code, row.sentence] for row in rows)
    return text.getvalue()


@blueprint.route("/mappings", methods=["GET"])
@roles(Role.MERCHANDISER)
@blueprint.response(200, wire.Mapping(many=True))
def mappings() -> Any:
    """Column mappings a file can be read with"""
    return queries.mappings()
