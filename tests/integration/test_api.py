"""The API on both databases: who may, what is refused, and how a refusal looks."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text as sql

from app.core import access
from app.core.access import Role
from app.core.db import Database

ORDERS = (
    "external_id,commitment,sku,region,quantity,unit_price,currency,ordered_at,buyer,campaign,status\n"
    "A1,paid,MUG,CN-GD,2,19.90,CNY,2026-11-02T10:00:00+08:00,u1,,\n"
    "A1,paid,MUG,CN-GD,2,19.90,CNY,2026-11-02T10:00:00+08:00,u1,,\n"
    "A2,paid,MUG,CN-GD,1.5,19.90,CNY,2026-11-02T10:00:00+08:00,u2,,\n"
    "A3,paid,CUP,CN-GD,1,19.90,CNY,2026-11-02T10:00:00+08:00,u3,,\n"
)
NETWORK = {
    "skus": "sku,name,name_zh,category,volume,holding_cost\nMUG,Mug,杯,home,1,0.10\n",
    "suppliers": "supplier,name,name_zh,weekly_capacity,risk\n"
    "JDZ,Jingdezhen,景德镇,500,0.1\nYW,Yiwu,义乌,,0\n",
    "supply_offers": "supplier,sku,moq,lot_multiple,lead_days,weekly_capacity,order_cost,currency\n"
    "JDZ,MUG,10,10,7,,50.00,CNY\nYW,MUG,10,10,7,,50.00,CNY\n",
    "price_breaks": "supplier,sku,min_quantity,unit_price\nJDZ,MUG,0,9.00\nYW,MUG,0,9.50\n",
    "warehouses": "warehouse,name,name_zh,timezone,weekly_inbound,storage\n"
    "CAN,Guangzhou,广州,Asia/Shanghai,,\n",
    "regions": "region,name,name_zh,timezone\nCN-GD,Guangdong,广东,Asia/Shanghai\n",
    "lanes": "from_kind,from,to_kind,to,cost_per_unit,lead_days\nsupplier,JDZ,warehouse,CAN,0.50,3\n"
    "supplier,YW,warehouse,CAN,0.50,3\nwarehouse,CAN,region,CN-GD,0.80,2\n",
}


@pytest.fixture
def token(db: Database, now: dt.datetime) -> str:
    with db.transaction() as session:
        account = access.create_account(
            session, email="m@x.example", name="M", password="long enough!", role=Role.MERCHANDISER, now=now
        )
        return access.create_token(session, account_id=account.id, label="test", now=now)


@pytest.fixture
def headers(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def network(app: Any, db: Database, tmp_path: Any) -> None:
    folder = tmp_path / "network"
    folder.mkdir()
    for name, text in NETWORK.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    result = app.test_cli_runner().invoke(args=["import-network", str(folder), "--json"])
    assert result.exit_code == 0, result.output


def upload(client: FlaskClient, headers: dict[str, str], text: str, **form: str) -> Any:
    data = {
        "channel": "shop",
        "mapping": "headwater",
        **form,
        "file": (io.BytesIO(text.encode()), "orders.csv"),
    }
    return client.post("/api/v1/imports", headers=headers, data=data)


@pytest.mark.usefixtures("network")
def test_every_row_of_an_upload_is_accounted_for(client: FlaskClient, headers: dict[str, str]) -> None:
    answer = upload(client, headers, ORDERS)
    assert answer.status_code == 201, answer.text
    told = answer.get_json()
    assert (told["read"], told["accepted"], told["duplicate"], told["rejected"]) == (4, 1, 1, 2)
    rejects = client.get(f"/api/v1/imports/{told['batch_id']}/rejects", headers=headers).get_json()
    assert [(row["column"], bool(row["sentence"])) for row in rejects] == [("quantity", True), ("sku", True)]
    as_csv = client.get(
        f"/api/v1/imports/{told['batch_id']}/rejects", headers={**headers, "Accept": "text/csv"}
    )
    assert as_csv.text.splitlines()[0] == "row,column,code,sentence" and len(as_csv.text.splitlines()) == 3
    again = upload(client, headers, ORDERS).get_json()
    assert again["unchanged"] is True
    waterfall = client.get("/api/v1/demand/waterfall", headers=headers).get_json()
    assert (
        waterfall["raw_units"] - sum(step["units"] for step in waterfall["steps"])
        == waterfall["valid_units"]
        == 2
    )


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize(
    ("text", "form", "status"),
    [
        ("", {}, 422),
        ("a,b\n1,2\n", {}, 422),
        (ORDERS, {"mapping": "nobody-knows-it"}, 422),
        (ORDERS, {"channel": "two words"}, 422),
    ],
)
def test_a_file_that_cannot_be_used_is_a_problem_and_stores_nothing(
    client: FlaskClient, headers: dict[str, str], text: str, form: dict[str, str], status: int
) -> None:
    answer = upload(client, headers, text, **form)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    problem = answer.get_json()
    assert problem["code"] and problem["detail"] and problem["request_id"]
    assert client.get("/api/v1/imports", headers=headers).get_json() == []


def test_without_a_token_nothing_is_told(client: FlaskClient) -> None:
    for path in (
        "/api/v1/campaigns",
        "/api/v1/plans/latest",
        "/api/v1/plan-lines",
        "/api/v1/atp",
        "/metrics",
    ):
        answer = client.get(path)
        assert answer.status_code in (401, 302, 303), path
    assert client.post("/api/v1/cycles", json={}).status_code == 401


def test_a_wrong_token_is_refused(client: FlaskClient) -> None:
    answer = client.get("/api/v1/campaigns", headers={"Authorization": "Bearer hw_nonsense"})
    assert answer.status_code == 401 and answer.get_json()["code"] == "token_unknown"
    assert "WWW-Authenticate" in answer.headers


def test_a_role_opens_only_its_doors(client: FlaskClient, headers: dict[str, str]) -> None:
    answer = client.post("/api/v1/receipts", headers=headers, json={})
    assert answer.status_code == 403 and answer.get_json()["code"] == "role_required"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/api/v1/campaigns/999", 404),
        ("/api/v1/campaigns/999/landing", 404),
        ("/api/v1/imports/999", 404),
        ("/api/v1/plans/999", 404),
        ("/api/v1/jobs/999", 404),
        ("/api/v1/plans/latest", 404),
        ("/api/v1/forecasts/latest", 404),
        ("/api/v1/nothing-here", 404),
        ("/api/v1/demand/waterfall?since=2026-02-30", 422),
        ("/api/v1/demand/waterfall?since=2026-03-01&until=2026-02-01", 422),
        ("/api/v1/imports?limit=1e400", 422),
        ("/api/v1/imports?before_id=9223372036854775808", 422),
        ("/api/v1/forecasts/latest/lines", 422),
        ("/api/v1/campaigns/9999999999999999999999", 404),
    ],
)
def test_a_wrong_question_is_a_problem(
    client: FlaskClient, headers: dict[str, str], path: str, code: int
) -> None:
    answer = client.get(path, headers=headers)
    assert (answer.status_code, answer.mimetype) == (code, "application/problem+json"), answer.text


@pytest.mark.parametrize(
    "body", ["", "null", "[]", '"x"', "{}{}", '{"as_of": 5}', '{"as_of": "2026-13-01"}', '{"x": 1}']
)
def test_a_body_that_is_no_order_is_a_problem(
    client: FlaskClient, headers: dict[str, str], body: str
) -> None:
    answer = client.post("/api/v1/cycles", headers=headers, data=body, content_type="application/json")
    if body == "":
        assert answer.status_code in (202, 400, 422)
    else:
        assert answer.status_code in (400, 422), answer.text
        assert answer.mimetype == "application/problem+json"


def test_a_cycle_is_one_job_however_often_it_is_asked_for(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    first = client.post("/api/v1/cycles", headers=headers, json={"as_of": "2026-11-23"})
    again = client.post("/api/v1/cycles", headers=headers, json={"as_of": "2026-11-23"})
    assert first.status_code == again.status_code == 202
    assert first.get_json()["id"] == again.get_json()["id"]
    assert client.post(f"/api/v1/jobs/{first.get_json()['id']}/cancel", headers=headers).status_code == 202
    assert client.post(f"/api/v1/jobs/{first.get_json()['id']}/cancel", headers=headers).status_code == 409


def test_the_health_checks_answer(client: FlaskClient) -> None:
    assert client.get("/healthz").get_json() == {"status": "ok"}
    assert client.get("/readyz").get_json()["status"] == "ok"


@pytest.mark.usefixtures("network")
def test_an_import_is_stopped_over_the_api_and_on_its_page_until_it_has_ended(
    client: FlaskClient, headers: dict[str, str], db: Database
) -> None:
    told = upload(client, headers, ORDERS).get_json()
    place = f"/api/v1/imports/{told['batch_id']}"
    ended = client.post(f"{place}/stop", headers=headers)
    assert (ended.status_code, ended.get_json()["code"]) == (409, "import_ended")
    with db.transaction() as session:
        session.execute(sql("UPDATE import_batch SET state = 'importing'"))
    assert client.post(f"{place}/stop", headers=headers).get_json()["state"] == "stopping"
    assert client.get(place, headers=headers).get_json()["last_row"] == told["read"] + 1
