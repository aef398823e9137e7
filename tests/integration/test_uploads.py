"""Files that come in parts: interrupted, repeated, wrong, somebody else's; imported once all has come."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core.access import Role
from app.core.config import Config
from app.core.db import Database
from app.entrypoints import resumable, worker
from app.entrypoints.door import attached
from app.stages.demand import queries as demands
from app.stages.imports import operations
from support import brand
from support.shop import bearer

PATH = "/api/v1/uploads"
BUYER = "quxi.kanariya@example.org"
ROWS = [f"U{n},paid,MUG,CN-GD,1,19.90,CNY,2026-11-18T10:00:00+08:00,{BUYER},," for n in range(40)]
HEAD = "external_id,commitment,sku,region,quantity,unit_price,currency,ordered_at,buyer,campaign,status"
FILE = "\n".join([HEAD, *ROWS, ""]).encode()
HALF = len(FILE) // 2


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resumable, "PIECE", 1000)


class Sender:
    def __init__(self, app: Flask, client: FlaskClient, db: Database, now: dt.datetime) -> None:
        self.app, self.client, self.db, self.now = app, client, db, now
        self.key = self.token("m@x.test", Role.MERCHANDISER)

    def token(self, email: str, role: Role) -> dict[str, str]:
        return bearer(self.db, role, now=self.now, email=email)

    def begin(self, **form: Any) -> Any:
        told = {"file_name": "o.csv", "channel": "shop", "mapping": "headwater", "size": len(FILE), **form}
        return self.client.post(PATH, json=told, headers=self.key)

    def patch(self, address: str, start: Any, data: bytes, **more: Any) -> Any:
        headers = {
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": str(start),
            **self.key,
            **more.pop("headers", {}),
        }
        return self.client.patch(address, data=data, headers=headers, **more)

    def offset(self, address: str) -> int:
        answer = self.client.head(address, headers=self.key)
        assert (answer.status_code, answer.headers["Upload-Length"]) == (200, str(len(FILE)))
        return int(answer.headers["Upload-Offset"])

    def told(self, address: str) -> Any:
        return self.client.get(address, headers=self.key).get_json()

    def work(self) -> None:
        worker.work_off(attached(self.app))

    def units(self) -> int:
        with self.db.reading() as session:
            assert demands.recount(session) == []
            return demands.waterfall(session).valid_units

    def lies(self) -> list[Path]:
        folder = attached(self.app).config.data_dir / "uploads"
        return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def config(config: Config) -> Config:
    return replace(config, max_resumable_bytes=len(FILE) + 1)


@pytest.fixture
def sender(app: Flask, client: FlaskClient, db: Database, tmp_path: Path, now: dt.datetime) -> Sender:
    brand.load_network(db, tmp_path)
    return Sender(app, client, db, now)


def checksum(data: bytes) -> dict[str, str]:
    return {"Upload-Checksum": f"sha256 {base64.b64encode(hashlib.sha256(data).digest()).decode()}"}


def test_a_file_in_parts_is_imported_once_all_has_come(sender: Sender) -> None:
    begun = sender.begin(digest=hashlib.sha256(FILE).hexdigest(), file_name="../a\u202eb.csv")
    assert (begun.status_code, begun.get_json()["file_name"]) == (201, "ab.csv")
    address = begun.headers["Location"]
    first = sender.patch(address, 0, FILE[:HALF], headers=checksum(FILE[:HALF]))
    assert (first.status_code, first.headers["Upload-Offset"]) == (204, str(HALF))
    assert sender.offset(address) == HALF
    assert all(
        BUYER.encode() not in path.read_bytes() and b"MUG" not in path.read_bytes() for path in sender.lies()
    )
    last = sender.patch(address, HALF, FILE[HALF:])
    assert last.status_code == 204 and last.headers["Upload-Job"]
    assert (sender.told(address)["state"], sender.units()) == ("complete", 0)
    sender.work()
    done = sender.told(address)
    assert (done["state"], sender.units(), sender.lies()) == ("imported", 40, [])
    batch = sender.client.get(f"/api/v1/imports/{done['batch_id']}", headers=sender.key).get_json()
    assert (batch["accepted"], batch["created_by"]) == (40, "m@x.test")
    assert sender.patch(address, len(FILE), b"x").get_json()["code"] == "upload_ended"


class Broken(io.BytesIO):
    """A body whose sender is gone after a while."""

    def read(self, size: int | None = -1) -> bytes:
        part = super().read(size)
        if not part:
            raise OSError("gone")
        return part


def test_what_came_before_a_sender_broke_off_counts_and_it_goes_on_there(sender: Sender) -> None:
    address = sender.begin().headers["Location"]
    cut = sender.patch(address, 0, b"", input_stream=Broken(FILE[:1700]), content_length=len(FILE))
    assert cut.status_code == 204
    at = sender.offset(address)
    assert at == int(cut.headers["Upload-Offset"]) == 1700
    wrong = sender.patch(address, 0, FILE[:10])
    assert (wrong.status_code, wrong.get_json()["code"], wrong.get_json()["received"]) == (
        409,
        "upload_offset",
        at,
    )
    assert sender.patch(address, at, FILE[at:]).status_code == 204
    sender.work()
    assert (sender.units(), sender.lies()) == (40, [])


def test_a_part_with_another_checksum_is_not_kept(sender: Sender) -> None:
    address = sender.begin().headers["Location"]
    bad = sender.patch(address, 0, FILE[:HALF], headers=checksum(b"another"))
    assert (bad.status_code, bad.get_json()["code"]) == (422, "part_checksum")
    cut = sender.patch(
        address, 0, b"", input_stream=Broken(FILE[:900]), content_length=HALF, headers=checksum(FILE[:HALF])
    )
    assert cut.get_json()["code"] == "part_checksum"
    assert (sender.offset(address), sender.lies()) == (0, [])
    for told in ("md5 AAAA", "sha256 !", "sha256 AAAA"):
        odd = sender.patch(address, 0, b"x", headers={"Upload-Checksum": told})
        assert odd.get_json()["code"] == "checksum_unknown"


def test_a_file_that_is_another_than_was_told_is_not_imported(sender: Sender) -> None:
    address = sender.begin(digest="0" * 64).headers["Location"]
    sender.patch(address, 0, FILE)
    sender.work()
    told = sender.told(address)
    assert (told["state"], told["batch_id"], sender.units(), sender.lies()) == ("failed", None, 0, [])
    assert "not the file that was told" in told["failure"]


def test_a_part_that_was_changed_or_is_gone_is_found(sender: Sender) -> None:
    for spoil in (lambda path: path.write_bytes(path.read_bytes()[:-1] + b"?"), Path.unlink):
        address = sender.begin().headers["Location"]
        sender.patch(address, 0, FILE)
        spoil(sender.lies()[0])
        sender.work()
        assert (sender.told(address)["state"], sender.units()) == ("failed", 0)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_upload_is_its_owners_alone(sender: Sender) -> None:
    address = sender.begin().headers["Location"]
    own, sender.key = sender.key, sender.token("other@x.test", Role.ADMINISTRATOR)
    for answer in (
        sender.client.head(address, headers=sender.key),
        sender.patch(address, 0, FILE),
        sender.client.delete(address, headers=sender.key),
    ):
        assert answer.status_code == 404
    sender.key = sender.token("planner@x.test", Role.WAREHOUSE_PLANNER)
    assert sender.begin().status_code == sender.client.get(address, headers=sender.key).status_code == 403
    sender.key = own
    assert sender.offset(address) == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sizes_offsets_and_types_that_make_no_sense_are_refused(sender: Sender) -> None:
    for form, code in (
        ({"size": len(FILE) + 2}, "upload_size"),
        ({"size": 0}, "upload_size"),
        ({"mapping": "nobody's"}, "mapping_unknown"),
        ({"digest": "x"}, "upload_digest"),
        ({"size": 1.5}, "fields_invalid"),
    ):
        assert sender.begin(**form).get_json()["code"] == code
    address = sender.begin().headers["Location"]
    for start in ("", "-1", "1e3", "９", "9" * 20):
        assert sender.patch(address, start.encode().decode("latin-1"), b"x").get_json()["code"] == (
            "upload_offset_missing"
        )
    assert sender.patch(address, 0, FILE + b"more").get_json()["code"] == "upload_offset"
    odd = sender.patch(address, 0, b"x", headers={"Content-Type": "text/csv"})
    assert odd.get_json()["code"] == "part_type"
    assert (sender.offset(address), sender.lies()) == (0, [])


def test_uploads_that_nobody_goes_on_with_are_forgotten(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = sender.begin().headers["Location"]
    sender.patch(address, 0, FILE[:HALF])
    here = attached(sender.app)
    assert resumable.drop_expired(here) == 0
    late = replace(here, clock=lambda: sender.now + operations.LIFETIME)
    assert (resumable.drop_expired(late), sender.lies()) == (1, [])
    assert sender.client.head(address, headers=sender.key).status_code == 404
    monkeypatch.setattr(operations, "MOST_UPLOADS", 1)
    again = sender.begin().headers["Location"]
    assert sender.begin().get_json()["code"] == "uploads_open"
    assert sender.client.delete(again, headers=sender.key).status_code == 204
    assert sender.begin().status_code == 201
