"""Order files in: upload, what became of every row, and the rejected rows to mend and send again."""

from __future__ import annotations

import csv
import io

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from app.core import jobs
from app.core.access import Role
from app.core.errors import Conflict, HeadwaterError
from app.entrypoints import resumable
from app.entrypoints.door import current_actor, db, now, roles
from app.entrypoints.uploads import import_upload
from app.entrypoints.web import forms, refusals
from app.entrypoints.web.replies import Reply, go_to, say
from app.stages.demand import queries as demand
from app.stages.imports import operations, queries

blueprint = Blueprint("imports", __name__, url_prefix="/imports")
PAGE = 20
ROWS = 50
PART_BYTES = 8 * 1024 * 1024
"""A larger file is sent in parts of so many bytes."""


@blueprint.get("")
@roles(Role.MERCHANDISER)
def index() -> Reply:
    return _page()


@blueprint.post("")
@roles(Role.MERCHANDISER)
def upload() -> Reply:
    """Import the file now; one that was stopped, or broke off, goes on."""
    given = forms.read(forms.Upload(), request.form)
    if given.errors:
        return _page(given.raw, given.errors), 422
    try:
        done = import_upload(request.files.get("file"), actor=current_actor(), **given.values)
    except HeadwaterError as refused:
        named = refused.data.get("field")
        field = named if named in ("channel", "mapping") else "file"
        return _page(given.raw, refusals.beside(refused, {}, other=field)), refused.status
    if done.unchanged:
        say(gettext("This file was imported before; nothing has changed."), "info")
    elif done.stopped:
        say(gettext("The import was stopped. What was read is kept; upload the file again to go on."), "info")
    else:
        say(gettext("The file is imported."))
    return go_to(url_for("web.imports.one", batch_id=done.batch_id))


def _page(raw: dict[str, str] | None = None, errors: dict[str, str] | None = None) -> str:
    before, job_id = forms.number_of(request.args, "before"), forms.number_of(request.args, "job")
    with db().reading() as session:
        batches = queries.list_batches(session, limit=PAGE + 1, before_id=before)
        return render_template(
            "merchandiser/imports.html",
            batches=batches[:PAGE],
            next_before=batches[PAGE - 1].id if len(batches) > PAGE else None,
            before=before,
            part_bytes=PART_BYTES,
            job=_import_job(session, job_id) if job_id else None,
            channels=demand.list_channels(session),
            mappings=queries.mappings(),
            form=raw or {},
            errors=errors or {},
        )


def _import_job(session: Session, job_id: int) -> jobs.JobFact | None:
    """The job of an upload in parts, while it has not led to an imported file."""
    job = jobs.get_job(session, job_id=job_id)
    return job if job.name == resumable.JOB and job.state is not jobs.JobState.DONE else None


@blueprint.get("/<int:batch_id>")
@roles(Role.MERCHANDISER)
def one(batch_id: int) -> Reply:
    asked = forms.number_of(request.args, "after", least=0)
    after = -1 if asked is None else asked
    with db().reading() as session:
        batch = queries.get_batch(session, batch_id=batch_id)
        rows = queries.rejected_rows(session, batch_id=batch_id, after_row=after, limit=ROWS + 1)
        return render_template(
            "merchandiser/import.html",
            batch=batch,
            rows=rows[:ROWS],
            next_after=rows[ROWS - 1].row if len(rows) > ROWS else None,
            after=after,
        )


@blueprint.post("/<int:batch_id>/stop")
@roles(Role.MERCHANDISER)
def stop(batch_id: int) -> Reply:
    try:
        with db().transaction() as session:
            operations.stop_import(session, batch_id=batch_id, actor=current_actor(), now=now())
    except Conflict as ended:
        say(refusals.failure(ended.status, ended.code, ended.sentence), "info")
    return go_to(url_for("web.imports.one", batch_id=batch_id))


@blueprint.get("/<int:batch_id>/rejects.csv")
@roles(Role.MERCHANDISER)
def rejects(batch_id: int) -> Reply:
    """Every rejected row. A byte-order mark first, so that spreadsheets read it as UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["row", "column", "code", "sentence"])
    with db().reading() as session:
        queries.get_batch(session, batch_id=batch_id)
        for row in queries.rejected_rows(session, batch_id=batch_id):
            writer.writerow([row.row, _plain(row.column), row.code, _plain(row.sentence)])
    return Response(
        "\ufeff" + text.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="rejects-{batch_id}.csv"'},
    )


def _plain(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
