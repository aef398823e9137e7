"""Codes of a file to ids: what nobody knows becomes a draft where the mapping says so, or is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import polars as pl
from sqlalchemy.orm import Session

from app.stages.catalog import operations as catalog
from app.stages.catalog import queries as catalogs
from app.stages.demand import rules
from app.stages.demand.queries import campaign_ids
from app.stages.demand.queries.pledges import campaign_sku_codes
from app.stages.imports.rules import Mapping

OTHER_SKU = "this names a SKU that the campaign does not have; name its SKUs, with | between them."
CAMPAIGN_SKUS = {"campaign_id": pl.Int64, "sku": pl.String}
_REMEDY = {
    "sku": ("sku_unknown", "describe it in skus.csv, or use a mapping that creates drafts"),
    "region": ("region_unknown", "describe it in regions.csv, or use a mapping that creates drafts"),
    "campaign": ("campaign_unknown", "create the campaign first, or leave the cell blank"),
}


@dataclass(frozen=True, slots=True)
class Known:
    """Ids by code, each a table to join with; which SKUs are no goods; the time zone of each region."""

    skus: pl.DataFrame
    regions: pl.DataFrame
    campaigns: pl.DataFrame
    campaign_skus: pl.DataFrame
    not_goods: frozenset[int]
    zones: dict[int, str]

    def resolve(self, rows: pl.DataFrame, headings: dict[str, str]) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Rows with sku_id, region_id, campaign_id, day and reason; and refusals of unknown codes."""
        fine, refused = rows, [refusals(rows.clear(), "", "", pl.lit(""))]
        for field, known in (("sku", self.skus), ("region", self.regions), ("campaign", self.campaigns)):
            # Only the code is joined: a join copies all columns of its frame.
            ids = fine.select(field).join(known, on=field, how="left", maintain_order="left")
            fine = fine.with_columns(ids[f"{field}_id"])
            unknown = fine[f"{field}_id"].is_null()
            if field == "campaign":  # which a row need not have
                unknown &= fine[field].is_not_null()
            if unknown.any():
                refused.append(_unknown(fine.filter(unknown), field, headings.get(field, field)))
                fine = fine.filter(~unknown)
        fine, strange = self._flexible(fine, headings.get("flexible_skus", "flexible_skus"))
        refused.append(strange)
        fine = fine.with_columns(
            (pl.col("goods") & ~pl.col("sku_id").is_in(list(self.not_goods))).alias("goods"),
            self._business_day(fine["region_id"].unique().to_list()).alias("day"),
        ).with_columns(rules.reason_expression().alias("reason"))
        return fine, pl.concat(refused)

    def _flexible(self, rows: pl.DataFrame, heading: str) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Rows whose buyers would take SKUs of the campaign, and refusals of those that name another one."""
        told = rows.filter(pl.col("flexible_skus").is_not_null())
        if told.is_empty():
            return rows, refusals(told, heading, "", pl.lit(""))
        named = told.select("row", "campaign_id", flexible_codes().alias("sku")).explode("sku")
        strangers = named.join(self.campaign_skus, on=["campaign_id", "sku"], how="anti")["row"].unique()
        bad = told.filter(pl.col("row").is_in(strangers.implode()))
        sentence = pl.lit(f"{heading}: {OTHER_SKU}")
        return rows.join(bad.select("row"), on="row", how="anti", maintain_order="left"), refusals(
            bad, heading, "tolerance_sku_unknown", sentence
        )

    def _business_day(self, regions: list[int]) -> pl.Expr:
        """The day at the region's own clock."""
        day = pl.lit(None, dtype=pl.Date)
        for zone in sorted({self.zones[region] for region in regions}):
            here = [region for region in regions if self.zones[region] == zone]
            local = pl.col("ordered_at").dt.convert_time_zone(zone).dt.date()
            day = local if len(here) == len(regions) else _chosen(here, local, day)
        return day


@dataclass(frozen=True, slots=True)
class Named:
    """The distinct codes of SKUs and regions that a block names."""

    skus: list[str]
    regions: list[str]

    @staticmethod
    def by(rows: pl.DataFrame) -> Named:
        return Named(*(rows[field].drop_nulls().unique().to_list() for field in ("sku", "region")))


class Codes:
    """The codes of SKUs, regions and campaigns that are known during one import."""

    def __init__(self, session: Session, mapping: Mapping, *, timezone: str) -> None:
        self._session = session
        self._mapping = mapping
        self._timezone = timezone
        self._know(
            Known(
                skus=_lookup("sku", catalogs.sku_ids(session)),
                campaigns=_lookup("campaign", campaign_ids(session)),
                campaign_skus=pl.DataFrame(campaign_sku_codes(session), schema=CAMPAIGN_SKUS, orient="row"),
                not_goods=catalogs.not_goods_ids(session),
                **self._places(),
            )
        )

    def known(self, rows: pl.DataFrame, named: Named) -> Known:
        """What is known once drafts were made of what nobody knows in these rows, which name these codes."""
        strange = [code for code in named.skus if code not in self._skus]
        regions = [code for code in named.regions if code not in self._regions]
        if strange or regions:
            self._draft(rows.filter(pl.col("sku").is_in(strange)), regions)
        return self._known

    def _draft(self, rows: pl.DataFrame, regions: list[str]) -> None:
        """Draft the SKUs of these rows and the regions, where the mapping creates them.

        The region that stands for a blank one is drafted always; so are codes that are no goods, that postage
        is no reason to reject an order line.
        """
        skus = rows.group_by("sku", maintain_order=True).agg(
            pl.col("name").drop_nulls().first(), pl.col("goods").first()
        )
        if not self._mapping.create_unknown:
            skus = skus.filter(~pl.col("goods"))
            regions = [code for code in regions if code == self._mapping.defaults.get("region", "")]
        if not skus.height and not regions:
            return
        catalog.register_unknown(self._session, skus=skus.rows(), regions=regions, timezone=self._timezone)
        drafted = _lookup("sku", catalogs.sku_ids(self._session, codes=skus["sku"].to_list()))
        self._know(
            replace(
                self._known,
                skus=pl.concat([self._known.skus, drafted]),
                not_goods=catalogs.not_goods_ids(self._session),
                **self._places(),
            )
        )

    def _know(self, known: Known) -> None:
        self._known = known
        self._skus, self._regions = set(known.skus["sku"].to_list()), set(known.regions["region"].to_list())

    def _places(self) -> dict[str, Any]:
        found = catalogs.region_ids(self._session)
        ids = {code: id_ for code, (id_, _) in found.items()}
        return {"regions": _lookup("region", ids), "zones": dict(found.values())}


def flexible_codes() -> pl.Expr:
    """The SKU codes of `flexible_skus`, a list in each row; blanks between them are nothing."""
    codes = pl.col("flexible_skus").str.split("|").list.eval(pl.element().str.strip_chars())
    return codes.list.eval(pl.element().filter(pl.element() != "")).list.unique().list.sort()


def refusals(rows: pl.DataFrame, column: str, code: str, sentence: pl.Expr) -> pl.DataFrame:
    return rows.select(
        "row",
        pl.lit(column).alias("column"),
        pl.lit(code).alias("code"),
        sentence.cast(pl.String).alias("sentence"),
    )


def _chosen(regions: list[int], local: pl.Expr, otherwise: pl.Expr) -> pl.Expr:
    return pl.when(pl.col("region_id").is_in(regions)).then(local).otherwise(otherwise)


def _unknown(rows: pl.DataFrame, field: str, heading: str) -> pl.DataFrame:
    code, advice = _REMEDY[field]
    # the cell is not quoted: in a line whose cells are shifted it can be a name, and rejects are kept
    sentence = pl.lit(f"{heading}: the value is unknown; {advice}.")
    return refusals(rows, heading, code, sentence)


def _lookup(field: str, ids: dict[str, int]) -> pl.DataFrame:
    schema = {field: pl.String, f"{field}_id": pl.Int64}
    return pl.DataFrame([list(ids.keys()), list(ids.values())], schema=schema)
