"""Order files: the corpus's columns through a mapping of their own, and uploads as clients write them."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path
from typing import Any

from support.corpus.door import Door, Seen
from support.corpus.elsewhere import Elsewhere
from support.corpus.entries import Entry

HEADINGS = ("event_id", "campaign", "buyer", "sku", "qty", "unit_price", "currency", "at", "title")
ROW = ("e1", "C1", "b1", "SKU-1", "2", "9.90", "CNY", "2026-03-01T08:00:00+08:00", "Mug")
CELLS = {"text": "title", "id": "event_id", "int": "qty", "money": "unit_price", "date": "at", "sku": "sku"}
"""Headings that the kinds of cell stand for."""
ORDERS = """
title = "The columns of the corpus"
create_unknown = true
timezone = "Asia/Shanghai"
dates = ["%Y-%m-%dT%H:%M:%S%z"]
[defaults]
region = "unknown"
[constants]
commitment = "paid"
region = "unknown"
[columns]
external_id = ["event_id", "事件编号"]
campaign = ["campaign", "活动"]
buyer = ["buyer", "买家"]
sku = ["sku", "货号"]
quantity = ["qty", "数量"]
unit_price = ["unit_price", "单价"]
currency = ["currency", "币种"]
ordered_at = ["at", "时间"]
name = ["title"]
"""
SHEET = """
title = "Units, SKUs and times, as far as they are there"
create_unknown = true
timezone = "Asia/Shanghai"
dates = ["%Y-%m-%dT%H:%M:%S%z"]
identity = ["external_id", "sku", "quantity"]
line_number = true
[defaults]
sku = "SKU-1"
[constants]
external_id = "row"
commitment = "paid"
region = "unknown"
unit_price = "9.90"
ordered_at = "2026-03-01T08:00:00+08:00"
quantity = "1"
sku = "SKU-1"
[columns]
quantity = ["qty"]
sku = ["sku"]
ordered_at = ["at"]
"""
DAYS = SHEET.replace('["qty"]', '["units"]').replace('["at"]', '["qty"]')
"""The first column holds times: a number there must not become one."""


def add_mappings(shipped: Path, folder: Path) -> Path:
    """A folder with the shipped mappings and those of the corpus."""
    shutil.copytree(shipped, folder)
    for name, text in (("orders", ORDERS), ("sheet", SHEET), ("days", DAYS)):
        (folder / f"corpus-{name}.toml").write_text(text, encoding="utf-8")
    return folder


def one_row(**cells: str) -> bytes:
    """A file of one order."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADINGS)
    writer.writerow([cells.get(heading, cell) for heading, cell in zip(HEADINGS, ROW, strict=True)])
    return text.getvalue().encode()


def upload(
    door: Door, content: bytes, *, channel: str, mapping: str = "corpus-orders", name: bytes = b"f.csv"
) -> Seen:
    """A form whose file name is written as it is, byte by byte."""
    edge = b"--edge"
    fields = {b"channel": channel.encode(), b"mapping": mapping.encode()}
    parts = [
        edge + b'\r\nContent-Disposition: form-data; name="' + field + b'"\r\n\r\n' + value + b"\r\n"
        for field, value in fields.items()
    ]
    parts.append(
        edge + b'\r\nContent-Disposition: form-data; name="file"; filename="' + name + b'"\r\n'
        b"Content-Type: text/csv\r\n\r\n" + content + b"\r\n" + edge + b"--\r\n"
    )
    form = "multipart/form-data; boundary=edge"
    return _outcome(door.call("POST", "/api/v1/imports", data=b"".join(parts), content_type=form))


def _outcome(seen: Seen) -> Seen:
    """An import is done when its answer comes: the state of its job follows from its counts."""
    if seen.status == 201 and seen.response is not None:
        told: dict[str, Any] = seen.response.get_json()
        seen.counts = {name: told[name] for name in ("read", "accepted", "duplicate", "rejected")}
        seen.status = "job:completed_with_errors" if told["rejected"] else "job:completed"
    return seen


def csv_file(door: Door, entry: Entry, sent: bytes | None, kind: str) -> Seen:
    if entry.made_by == "sparse":
        return _too_large(door)
    if sent is None:
        raise Elsewhere(f"no scenario plays {entry.made_by}")
    if kind:
        if kind not in CELLS:
            raise Elsewhere(f"no column is a {kind}")
        sent = one_row(**{CELLS[kind]: sent.decode()})
    seen = upload(door, sent, channel=entry.id.lower())
    if seen.taken and kind == "text":
        seen.shown_on = "/demand"
    return seen


def _too_large(door: Door) -> Seen:
    """A length that is claimed, and no byte of it sent: it must be refused before anything is read."""
    length = {"CONTENT_LENGTH": str(door.config.max_upload_bytes + 1)}
    form = "multipart/form-data; boundary=edge"
    return door.call("POST", "/api/v1/imports", environ_overrides=length, content_type=form)


def table(door: Door, entry: Entry, sent: bytes | None, _: str) -> Seen:
    """A workbook or a Parquet file, which have only the columns that their entry is about."""
    if sent is None:
        raise Elsewhere(f"no scenario plays {entry.made_by}")
    mapping = "corpus-days" if "serial" in (entry.made_by or "") else "corpus-sheet"
    return upload(door, sent, channel=entry.id.lower(), mapping=mapping, name=b"f.bin")
