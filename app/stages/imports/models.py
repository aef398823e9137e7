"""Tables of the import stage: what was received, and what was kept out with its reason."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Base, BigId, UtcDateTime, one_of
from app.stages.imports.rules import UPLOAD_STATES, BatchState


class ImportBatch(Base):
    """One file of one channel. The digest makes the same file again a no-op, or goes on with it.

    What became of the rows up to `last_row` of the file is stored; the counts are of these.
    """

    __tablename__ = "import_batch"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    channel: Mapped[str] = mapped_column(String(40))
    mapping: Mapped[str] = mapped_column(String(60))
    file_name: Mapped[str] = mapped_column(String(255))
    digest: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(12))
    last_row: Mapped[int] = mapped_column(BigInteger, default=0)
    read: Mapped[int] = mapped_column(BigInteger, default=0)
    accepted: Mapped[int] = mapped_column(BigInteger, default=0)
    duplicate: Mapped[int] = mapped_column(BigInteger, default=0)
    rejected: Mapped[int] = mapped_column(BigInteger, default=0)
    seconds: Mapped[float] = mapped_column(default=0.0)
    created_by: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    __table_args__ = (
        UniqueConstraint("channel", "mapping", "digest"),
        one_of("state", [state.value for state in BatchState]),
        CheckConstraint("read = accepted + duplicate + rejected", name="rows_add_up"),
        CheckConstraint("accepted >= 0 AND duplicate >= 0 AND rejected >= 0", name="counts_positive"),
    )


class RejectedRow(Base):
    __tablename__ = "rejected_row"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id"), index=True)
    row: Mapped[int] = mapped_column(BigInteger)
    column: Mapped[str] = mapped_column(String(255))
    code: Mapped[str] = mapped_column(String(40))
    sentence: Mapped[str] = mapped_column(Text)


class Upload(Base):
    """A file that comes in parts, over as many requests as it takes; its content lies sealed on the disk.

    `received` is how much of it has come without a gap; once that is its `size`, a job imports it.
    """

    __tablename__ = "upload"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    owner: Mapped[str] = mapped_column(String(254))
    file_name: Mapped[str] = mapped_column(String(255))
    channel: Mapped[str] = mapped_column(String(40))
    mapping: Mapped[str] = mapped_column(String(60))
    size: Mapped[int] = mapped_column(BigInteger)
    received: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str | None] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(12))
    job_id: Mapped[int | None] = mapped_column(BigInteger)
    batch_id: Mapped[int | None] = mapped_column(BigInteger)
    failure: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, index=True)
    __table_args__ = (
        one_of("state", UPLOAD_STATES),
        CheckConstraint("0 <= received AND received <= size", name="received_within"),
    )


class UploadPart(Base):
    """A part of an upload that counts; a sealed file that no row names is nobody's."""

    __tablename__ = "upload_part"
    upload_id: Mapped[str] = mapped_column(ForeignKey("upload.id", ondelete="CASCADE"), primary_key=True)
    start: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(String(32))
    __table_args__ = (CheckConstraint("size > 0 AND start >= 0", name="whole"),)
