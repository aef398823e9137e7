"""The command that forecasts, or says what forecasts of a SKU would have been worth."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Any

import click

from app import cycle
from app.core.errors import NotFound
from app.entrypoints.cli.output import ProgressLine, command
from app.entrypoints.door import config, db, operator, services, today
from app.stages.catalog import queries as catalog
from app.stages.forecasts import operations, queries


def _say(result: dict[str, Any]) -> str:
    return _say_backtest(result) if "backtest" in result else _say_run(result)


def _say_run(result: dict[str, Any]) -> str:
    return "\n".join(
        [
            f"Forecast {result['forecast_run_id']} as of {result['as_of']}: {result['series']:,} series, "
            f"{result['horizon_weeks']} weeks, {result['mean_units']:,.0f} units",
            *(
                f"  week of {week['week']}  {week['mean']:>12,.0f}  (80 %: {week['lo_80']:,.0f} to "
                f"{week['hi_80']:,.0f})"
                for week in result["weeks"]
            ),
            "  methods: " + ", ".join(f"{method} {count:,}" for method, count in result["methods"].items()),
        ]
    )


def _say_backtest(result: dict[str, Any]) -> str:
    made = result["backtest"]
    rows = [*made["scores"], made["whole"]]
    width = max(len(row["method"]) for row in rows)
    return "\n".join(
        [
            f"Backtest of {result['sku']} in {result['region'] or 'all regions'}: {made['series']:,} series, "
            f"{made['horizon_weeks']} weeks ahead from {made['origins']} earlier weeks, "
            f"{made['sold_units']:,} units sold",
            f"  {'':<{width}}  forecasts     WAPE   of sums     bias  in 80 %  in 95 %",
            *(
                f"  {row['method']:<{width}}  {row['forecasts']:>9,}  {_share(row['wape'])}  "
                f"{_share(row['wape_total'])}  {_share(row['bias'])}  {_share(row['coverage_80'])}  "
                f"{_share(row['coverage_95'])}"
                for row in rows
            ),
            f"  MASE {'–' if made['mase'] is None else format(made['mase'], '.2f')}: "
            "its errors over those of repeating the last week",
        ]
    )


def _share(part: float | None) -> str:
    return f"{'–' if part is None else format(part, '.1%'):>7}"


@command("forecast", say=_say)
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Forecast as of this day (YYYY-MM-DD); today when not given.",
)
@click.option("--backtest", is_flag=True, help="Forecast a SKU's past instead, and compare. Stores nothing.")
@click.option("--sku", help="Code of the SKU to backtest.")
@click.option("--region", help="Code of a region; all regions when not given.")
def forecast(
    as_of: dt.datetime | None, backtest: bool, sku: str | None, region: str | None
) -> dict[str, Any]:
    """Only forecast, as the first step of the cycle does; or backtest one SKU."""
    day = today() if as_of is None else as_of.date()
    if backtest:
        if not sku:
            raise click.UsageError("Name the SKU to backtest: --sku CODE.")
        return _backtest(day, sku, region)
    if sku or region:
        raise click.UsageError("--sku and --region belong to --backtest; a forecast is of everything.")
    return _forecast(day)


def _forecast(day: dt.date) -> dict[str, Any]:
    line = ProgressLine()
    try:
        run = cycle.run_forecast(
            db(), config=config(), as_of=day, actor=operator(), now=services().clock, progress=line
        )
    finally:
        line.close()
    with db().reading() as session:
        return {
            "forecast_run_id": run.id,
            "as_of": run.as_of.isoformat(),
            "horizon_weeks": run.horizon_weeks,
            "series": run.series,
            "mean_units": run.mean_units,
            "fingerprint": run.fingerprint,
            "methods": {mix.method: mix.series for mix in queries.method_mix(session, run_id=run.id)},
            "weeks": [asdict(week) for week in queries.weekly_totals(session, run_id=run.id)],
        }


def _backtest(day: dt.date, sku: str, region: str | None) -> dict[str, Any]:
    with db().reading() as session:
        sku_id = catalog.sku_ids(session, codes=[sku]).get(sku)
        if sku_id is None:
            raise NotFound("sku_unknown", f"There is no SKU {sku}.", sku=sku)
        region_id, _ = catalog.region_ids(session).get(region, (None, "")) if region else (None, "")
        if region and region_id is None:
            raise NotFound("region_unknown", f"There is no region {region}.", region=region)
        history = queries.spot_history(session, until=day, sku_id=sku_id, region_id=region_id)
        calendar = catalog.calendar(session, since=dt.date.min, until=day)
    fact = operations.backtest(history, as_of=day, calendar=calendar)
    return {"sku": sku, "region": region, "backtest": asdict(fact)}


commands = [forecast]
