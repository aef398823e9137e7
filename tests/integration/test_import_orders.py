"""Order files on both databases: every row accounted for, roll-ups a recount, nothing half-stored."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import xlsxwriter
from sqlalchemy import text

from app.core.access import SYSTEM
from app.core.db import Database, renew_statistics
from app.core.errors import Conflict, RuleBroken
from app.stages.catalog import operations as catalog
from app.stages.demand import operations as demand
from app.stages.demand import queries as demands
from app.stages.demand.models import Signal
from app.stages.demand.operations import importing
from app.stages.imports import queries as imports
from support.shop import send

HEAD = "external_id,commitment,sku,region,quantity,unit_price,currency,ordered_at,buyer,campaign,status"
GOOD = "A{n},paid,MUG,CN-GD,{n},19.90,CNY,2026-11-0{n}T10:00:00+08:00,buyer{n},,"
ROWS = [HEAD, *(GOOD.format(n=n) for n in range(1, 6))]
TEXT = "\n".join(ROWS) + "\n"


@pytest.fixture(autouse=True)
def described(db: Database) -> None:
    with db.transaction() as session:
        catalog.register_unknown(
            session, skus=[("MUG", "Mug", True)], regions=["CN-GD"], timezone="Asia/Shanghai"
        )


class Importer:
    def __init__(self, db: Database, folder: Path, now: dt.datetime) -> None:
        self._db, self._folder, self._now = db, folder, now

    def file(
        self,
        content: str | bytes,
        *,
        name: str = "orders.csv",
        mapping: str = "headwater",
        channel: str = "shop",
    ) -> demand.ImportFact:
        path = self._folder / name
        return send(self._db, path, content, now=self._now, channel=channel, mapping=mapping)

    def rejects(self, fact: demand.ImportFact) -> list[tuple[int, str, str]]:
        with self._db.reading() as session:
            rows = imports.rejected_rows(session, batch_id=fact.batch_id)
            assert all(row.sentence.endswith(".") for row in rows)
            return [(row.row, row.column, row.code) for row in rows]


@pytest.fixture
def importer(db: Database, tmp_path: Path, now: dt.datetime) -> Importer:
    return Importer(db, tmp_path, now)


def counts(fact: demand.ImportFact) -> tuple[int, int, int, int]:
    return fact.read, fact.accepted, fact.duplicate, fact.rejected


def as_xlsx(rows: list[str]) -> bytes:
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            for place, cell in enumerate(row.split(",")):
                sheet.write(number, place, int(cell) if place == 4 and number else cell)
    return content.getvalue()


def as_parquet(rows: list[str]) -> bytes:
    content = io.BytesIO()
    cells = [row.split(",") for row in rows]
    columns = {name: [row[place] for row in cells[1:]] for place, name in enumerate(cells[0])}
    pl.DataFrame(columns).with_columns(pl.col("quantity").cast(pl.Int32)).write_parquet(content)
    return content.getvalue()


def as_ndjson(rows: list[str]) -> bytes:
    cells = [row.split(",") for row in rows]
    return pl.DataFrame([dict(zip(cells[0], row, strict=True)) for row in cells[1:]]).write_ndjson().encode()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(TEXT.encode(), id="utf-8"),
        pytest.param(TEXT.encode("utf-8-sig"), id="utf-8 with a mark"),
        pytest.param(TEXT.encode("utf-16"), id="utf-16"),
        pytest.param(TEXT.encode("utf-16-be"), id="utf-16 big endian without a mark"),
        pytest.param(TEXT.encode("gb18030"), id="gb18030"),
        pytest.param(TEXT.replace(",", ";").encode(), id="semicolons"),
        pytest.param(TEXT.replace(",", "\t").encode(), id="tabs"),
        pytest.param(TEXT.replace("\n", "\r\n").encode(), id="crlf"),
        pytest.param(as_xlsx(ROWS), id="xlsx"),
        pytest.param(as_parquet(ROWS), id="parquet"),
        pytest.param(as_ndjson(ROWS), id="ndjson"),
    ],
)
def test_the_same_orders_are_read_from_every_format(importer: Importer, db: Database, content: bytes) -> None:
    fact = importer.file(content)
    assert counts(fact) == (5, 5, 0, 0)
    with db.reading() as session:
        assert [day.valid_units for day in demands.daily_units(session)] == [1, 2, 3, 4, 5]
        assert demands.recount(session) == []


def test_the_same_file_again_changes_nothing_and_says_so(importer: Importer, db: Database) -> None:
    first, again = importer.file(TEXT), importer.file(TEXT)
    assert (again.unchanged, again.batch_id, counts(again)) == (True, first.batch_id, counts(first))


def test_rows_known_from_another_file_are_duplicates_and_changed_ones_conflict(
    importer: Importer, db: Database
) -> None:
    importer.file(TEXT)
    changed = GOOD.format(n=2).replace(",2,19.90", ",7,19.90")
    fact = importer.file("\n".join([HEAD, ROWS[1], ROWS[1], changed, GOOD.format(n=6)]))
    assert counts(fact) == (4, 1, 2, 1)
    assert importer.rejects(fact) == [(4, "external_id", "identity_conflict")]
    with db.reading() as session:
        water = demands.waterfall(session)
        assert (water.raw_units, water.valid_units) == (1 + 2 + 3 + 4 + 5 + 6 + 2, 21)
        assert [(step.reason, step.units, step.signals) for step in water.steps] == [("duplicate", 2, 2)]
        assert demands.recount(session) == []


MALFORMED = [
    (",3,19.90", ",1.5,19.90", "quantity", "quantity_not_whole"),
    (",3,19.90", ",1_0,19.90", "quantity", "quantity_not_whole"),
    (",3,19.90", ",３,19.90", "quantity", "quantity_not_whole"),
    (",3,19.90", ",NaN,19.90", "quantity", "quantity_not_whole"),
    (",3,19.90", ",1e400,19.90", "quantity", "quantity_not_whole"),
    (",3,19.90", ",9223372036854775808,19.90", "quantity", "quantity_out_of_range"),
    (",3,19.90", ",1000000001,19.90", "quantity", "quantity_out_of_range"),
    (",3,19.90", ",0,19.90", "quantity", "quantity_zero"),
    (",3,19.90", ",,19.90", "quantity", "value_missing"),
    (",19.90,", ",19.901,", "unit_price", "price_invalid"),
    (",19.90,", ",abc,", "unit_price", "price_invalid"),
    (",19.90,", ",1e400,", "unit_price", "price_invalid"),
    (",19.90,", ",NaN,", "unit_price", "price_invalid"),
    ("2026-11-03T10", "2026-02-30T10", "ordered_at", "date_invalid"),
    ("2026-11-03T10", "0001-11-03T10", "ordered_at", "date_out_of_range"),
    (",CNY,", ",USD,", "currency", "currency_mismatch"),
    (",MUG,", ",CUP,", "sku", "sku_unknown"),
    (",CN-GD,", ",CN-XX,", "region", "region_unknown"),
    (",buyer3,,", ",buyer3,NO-CAMPAIGN,", "campaign", "campaign_unknown"),
    (",paid,", ",maybe,", "commitment", "commitment_unknown"),
    ("A3,", "A\x003,", "external_id", "text_unusable"),
    ("A3,", ",", "external_id", "value_missing"),
    (",buyer3,,", ",buyer3", "", "fields_missing"),
    (",buyer3,,", ",buyer3,,,x,y", "", "fields_extra"),
    ("A3,", '"A"3,', "", "line_malformed"),
]
"""What a good row has, what a bad one has in its place, and the column and code of its refusal."""


def test_malformed_rows_are_rejected_alone_with_row_column_and_code(importer: Importer, db: Database) -> None:
    """Each between good rows, each read as text and, where it breaks lines, alone in its file."""
    bad = [ROWS[3].replace(old, new, 1) for old, new, _, _ in MALFORMED]
    assert ROWS[3] not in bad
    good = [GOOD.format(n=4).replace("A4", f"G{number}") for number in range(len(bad))]
    lines = [line for pair in zip(good, bad, strict=True) for line in pair]
    fact = importer.file("\n".join([HEAD, *lines]))
    assert counts(fact) == (2 * len(bad), len(bad), 0, len(bad))
    wanted = [(3 + 2 * number, column, code) for number, (*_, column, code) in enumerate(MALFORMED)]
    assert importer.rejects(fact) == wanted
    with db.reading() as session:
        assert demands.recount(session) == []


@pytest.mark.parametrize(("old", "new", "column", "code"), [MALFORMED[0], *MALFORMED[-5:]])
def test_one_malformed_row_of_a_file_is_rejected_alone(
    importer: Importer, db: Database, old: str, new: str, column: str, code: str
) -> None:
    """By the reader of columns, where it can; those that no reader of columns takes have their own way."""
    fact = importer.file("\n".join([*ROWS[:3], ROWS[3].replace(old, new, 1), *ROWS[4:]]))
    assert counts(fact) == (5, 4, 0, 1)
    assert importer.rejects(fact) == [(4, column, code)]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (b"  \n", "file_empty"),
        (HEAD.encode(), "file_header_only"),
        (b"a,b,c\n1,2,3\n", "column_missing"),
        (b"\xff\xfe\xff\xfe\xfd\xff\x80\x81\x00", "encoding_unknown"),
        (b"PAR1 is no parquet file", "file_unreadable"),
        (b"PK\x03\x04 is no archive", "file_unreadable"),
        (as_xlsx(ROWS)[:900], "file_unreadable"),
        (as_parquet(ROWS)[:200], "file_unreadable"),
        ((",".join(["x"] * 1_000_000)).encode() + b"\n1\n", "too_many_columns"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_cannot_be_used_is_refused_whole_and_stores_nothing(
    importer: Importer, db: Database, content: bytes, code: str
) -> None:
    with pytest.raises(RuleBroken) as refusal:
        importer.file(content)
    assert refusal.value.code == code
    assert "orders.csv" in refusal.value.sentence
    with db.reading() as session:
        assert imports.list_batches(session) == []
        assert demands.list_channels(session) == []


def test_an_unknown_mapping_names_those_there_are(importer: Importer) -> None:
    with pytest.raises(RuleBroken, match="uci-online-retail"):
        importer.file(TEXT, mapping="nobody")


def test_what_is_no_demand_is_accepted_and_leaves_in_the_waterfall_with_its_reason(
    importer: Importer, db: Database, now: dt.datetime
) -> None:
    lines = [
        GOOD.format(n=1),
        GOOD.format(n=2) + "cancelled",
        GOOD.format(n=3) + "test",
        GOOD.format(n=4).replace("MUG", "SHIP-FEE"),
        GOOD.format(n=5).replace("19.90", "0.00"),
        GOOD.format(n=6).replace(",6,19.90", ",-1,19.90"),
    ]
    assert counts(importer.file("\n".join([HEAD, *lines]))) == (6, 6, 0, 0)
    with db.reading() as session:
        water = demands.waterfall(session)
        exclusions = demands.list_exclusions(session)
    assert (water.raw_units, water.valid_units) == (15, 0)
    assert {step.reason: step.units for step in water.steps} == {
        "cancelled": 2,
        "returned": 1,
        "test": 3,
        "not_goods": 4,
        "unpriced": 5,
    }
    assert {one.reason for one in exclusions} == {"cancelled", "test", "not_goods", "unpriced"}


def test_undoing_an_exclusion_counts_the_units_again_once(
    importer: Importer, db: Database, now: dt.datetime
) -> None:
    importer.file("\n".join([HEAD, GOOD.format(n=3) + "cancelled"]))
    with db.transaction() as session:
        exclusion = demands.list_exclusions(session)[0]
        demand.undo_exclusion(session, actor=SYSTEM, exclusion_id=exclusion.id, now=now)
    with db.transaction() as session:
        assert demands.waterfall(session).valid_units == 3
        assert demands.recount(session) == []
        with pytest.raises(Conflict):
            demand.undo_exclusion(session, actor=SYSTEM, exclusion_id=exclusion.id, now=now)


def test_the_business_day_is_that_of_the_region(importer: Importer, db: Database) -> None:
    with db.transaction() as session:
        catalog.register_unknown(session, skus=[], regions=["US-CA"], timezone="America/Los_Angeles")
    late = "2026-11-03T01:00:00+08:00"
    lines = [GOOD.format(n=3).replace("2026-11-03T10:00:00+08:00", late), ""]
    lines[1] = lines[0].replace("A3", "A4").replace("CN-GD", "US-CA")
    importer.file("\n".join([HEAD, *lines]))
    with db.reading() as session:
        assert [day.day for day in demands.daily_units(session)] == [
            dt.date(2026, 11, 2),
            dt.date(2026, 11, 3),
        ]


def test_no_buyer_is_stored_and_no_column_nobody_mapped(importer: Importer, db: Database) -> None:
    canary = "13800138000"
    rows = [HEAD + ",phone", ROWS[1].replace("buyer1", "Canary Name") + "," + canary, ROWS[2] + ",1", "x"]
    importer.file("\n".join(rows))
    with db.reading() as session:
        for table in ("signal", "rejected_row", "import_batch", "exclusion", "audit_entry"):
            stored = str(session.execute(text(f"SELECT * FROM {table}")).all())
            assert "Canary" not in stored and canary not in stored


OTHER_CHANNELS: dict[str, tuple[str, Any, int, int]] = {
    "uci-online-retail": (
        "retail.csv",
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
        "536365,85123A,HOLDER,6,2010-12-01 08:26:00,2.55,17850,United Kingdom\n"
        "C536379,85123A,HOLDER,-1,2010-12-01 09:41:00,2.55,17850,United Kingdom\n"
        "536370,POST,POSTAGE,3,2010-12-01 08:45:00,18,12583,France\n",
        3,
        5,
    ),
    "shopify-orders": (
        "shopify.csv",
        "Name,Email,Financial Status,Currency,Created at,Lineitem quantity,Lineitem name,Lineitem price,"
        "Lineitem sku,Shipping Province,Cancelled at\n"
        "#1001,a@b.example,paid,CNY,2026-11-01 10:00:00 +0800,2,Mug,19.90,MUG,CN-GD,\n"
        "#1001,,,,,1,Mug,19.90,MUG,,\n"
        "#1002,c@d.example,refunded,CNY,2026-11-01 11:00:00 +0800,4,Mug,19.90,MUG,CN-GD,\n",
        3,
        3,
    ),
    "taobao-orders": (
        "taobao.csv",
        "订单编号,买家会员名,总金额,订单状态,收货地址,订单创建时间,宝贝标题,宝贝总数量\n"
        '="2811",tb1,"1,039.80","买家已付款，等待卖家发货",广东省 深圳市 某路1号,2026-11-01 10:00:00,杯子,2\n'
        '="2812",tb2,19.90,交易关闭,浙江省 杭州市 某路2号,2026-11-01 11:00:00,杯子,1\n',
        2,
        2,
    ),
    "pinduoduo-orders": (
        "pdd.csv",
        "订单成交时间,商品,订单号,订单状态,商品总价(元),商品数量(件),商家编码-规格维度\n"
        '2026-11-01 10:00:00,杯子,P1,待发货,"1,039.80",2,MUG-PDD\n'
        "2026-11-01 11:00:00,杯子,P2,已取消,19.90,1,MUG-PDD\n",
        2,
        2,
    ),
}


@pytest.mark.parametrize("mapping", OTHER_CHANNELS)
def test_a_real_export_of_each_channel_is_read(importer: Importer, db: Database, mapping: str) -> None:
    name, content, rows, valid = OTHER_CHANNELS[mapping]
    encoding = "gb18030" if mapping == "taobao-orders" else "utf-8"
    fact = importer.file(content.encode(encoding), name=name, mapping=mapping, channel="other")
    assert counts(fact) == (rows, rows, 0, 0), importer.rejects(fact)
    with db.reading() as session:
        assert demands.waterfall(session).valid_units == valid
        assert demands.recount(session) == []


def test_the_backer_report_is_a_zip_with_a_file_a_reward(importer: Importer, db: Database) -> None:
    head = "Backer Number,Backer UID,Email,Shipping Country,Pledge Amount,Pledged At,Pledged Status\n"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(
            "25.00 USD Early bird - Mar 14 09am.csv",
            head + '1,11,a@b.example,US,"$25.00 USD","2026/03/01, 10:00",collected\n',
        )
        archive.writestr(
            "40.00 USD Deluxe - Mar 14 09am.csv",
            head + '2,12,c@d.example,DE,40.00,"2026/03/02, 10:00",collected\n3,13,e@f.example,DE,40.00,'
            '"2026/03/02, 11:00",dropped\n',
        )
    with db.transaction() as session:
        session.execute(
            text(
                "INSERT INTO channel (code, currency, created_at) VALUES ('ks', 'USD', '2026-01-01 00:00:00')"
            )
        )
    fact = importer.file(packed.getvalue(), name="backers.zip", mapping="kickstarter-backers", channel="ks")
    assert fact.read == 3 and fact.accepted + fact.rejected == 3
    assert fact.accepted == 3, importer.rejects(fact)
    with db.reading() as session:
        assert demands.waterfall(session).valid_units == 2


@pytest.mark.real_data
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_real_order_file_adds_up(importer: Importer, db: Database, shared_dir: Path) -> None:
    """Its first rows, which are three blocks; benchmarks/import_orders.py takes the whole of it."""
    part = pl.read_parquet(shared_dir / "data" / "online_retail_2009_2010.parquet", n_rows=140_000)
    content = io.BytesIO()
    part.write_parquet(content)
    fact = importer.file(content.getvalue(), name="retail.parquet", mapping="uci-online-retail", channel="uk")
    assert fact.read == fact.accepted + fact.duplicate + fact.rejected == 140_000
    distinct = part.unique()
    assert fact.accepted == distinct.height < 140_000
    with db.reading() as session:
        units = session.execute(
            text("SELECT sum(units) FROM demand_day WHERE reason <> 'duplicate'")
        ).scalar()
        cancelled = session.execute(
            text("SELECT sum(valid_units), sum(raw_units) FROM demand_day WHERE reason = 'returned'")
        ).one()
    assert units == distinct["Quantity"].sum()
    assert cancelled[0] < 0 and cancelled[1] == 0


def test_after_a_large_file_the_database_knows_how_many_signals_it_has(
    db: Database, importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite keeps no statistics: there the file is just taken."""

    def known() -> float:
        with db.reading() as session:
            query = "SELECT reltuples FROM pg_class WHERE relname = 'signal'"
            return float(session.execute(text(query)).scalar_one())

    with db.transaction() as session:
        renew_statistics(session, Signal)
    importer.file(TEXT)
    assert db.is_sqlite or known() == 0, "a small file is not worth a look"
    monkeypatch.setattr(importing, "MANY", 5)
    assert importer.file(TEXT.replace("\nA", "\nB"), name="more.csv").accepted == 5
    assert db.is_sqlite or known() == 10
