"""Pledges that come online, one or a thousand at a time, under the rules by which files are absorbed."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from sqlalchemy.orm import Session

from app.core.access import Actor, Role
from app.core.errors import Conflict, RuleBroken
from app.stages.catalog import operations as catalog
from app.stages.demand import rules
from app.stages.demand.operations import (
    caps,
    corrections,
    gates,
    known,
    met,
    rollups,
    storing,
    tolerances,
)
from app.stages.demand.operations.sent import Flaw, Row, SentPledge, look_at, unknown_codes
from app.stages.demand.operations.turns import take_turn
from app.stages.demand.queries.pledges import (
    ChannelCurrency,
    Codes,
    PledgeFact,
    find_channel,
    find_pledges,
    resolve_codes,
)
from app.stages.demand.rules import SignalFacts
from app.stages.imports.rules import CHECKED

MOST_AT_ONCE = 1_000
KNOWN_OTHERWISE = (
    "This pledge is known already with other content; nothing was overwritten. "
    "Correct it with PATCH, or send another pledge under a new id."
)
SIGNAL = {
    "row": pl.Int64,
    "sku": pl.String,
    "channel_id": pl.Int64,
    "external_id": pl.String,
    "batch_id": pl.Int64,
    **storing.CONTENT_TYPES,
    **storing.TRACES,
    **tolerances.TOLERANCE,
    "day": pl.Date,
    "reason": pl.String,
}
_AS_CHECKED = tuple(name for name in SIGNAL if name in CHECKED and name != "row")


class Outcome(StrEnum):
    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class PledgeResult:
    """What became of one row; a rejected one has flaws, one for each bad field."""

    outcome: Outcome
    channel: str
    external_id: str | None
    flaws: tuple[Flaw, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PledgeSettings:
    """Key of the pseudonyms, currency of a channel that is new, time zone of a region that is new."""

    pseudonym_key: bytes
    currency: str
    timezone: str


def take_pledge(
    session: Session, *, sent: SentPledge, actor: Actor, now: dt.datetime, settings: PledgeSettings
) -> tuple[PledgeFact, bool]:
    """Take one pledge into the pool; returns it as it is stored, and whether it is new.

    Raises:
        Conflict: `identity_conflict`, when its channel and external id are known with other content.
        RuleBroken: `pledge_invalid`, with an entry in `errors` for each bad field. Nothing is stored.
    """
    result = take_pledges(session, rows=[sent], actor=actor, now=now, settings=settings)[0]
    if result.outcome is Outcome.REJECTED:
        flaw = result.flaws[0]
        if flaw.code == "identity_conflict":
            raise Conflict("identity_conflict", KNOWN_OTHERWISE, field=flaw.field)
        listed = [{"field": one.field, "code": one.code, "sentence": one.sentence} for one in result.flaws]
        raise RuleBroken("pledge_invalid", "This pledge can't be taken; see `errors`.", errors=listed)
    here = find_channel(session, code=result.channel)
    assert here is not None and result.external_id is not None
    found = find_pledges(session, channel_id=here.id, external_ids=[result.external_id])
    return found[result.external_id], result.outcome is Outcome.ACCEPTED


def take_pledges(
    session: Session, *, rows: Sequence[SentPledge], actor: Actor, now: dt.datetime, settings: PledgeSettings
) -> list[PledgeResult]:
    """Take up to 1,000 pledges in the caller's transaction; a bad row does not stop the others.

    Each is accepted; or a duplicate of one that is known with the same content (as it was received, or as it
    was corrected since), which changes nothing; or rejected. Results stand in the order of the rows.

    Raises:
        RuleBroken: `batch_too_long`; nothing is stored.
    """
    actor.must_be(Role.MERCHANDISER)
    if len(rows) > MOST_AT_ONCE:
        raise RuleBroken("batch_too_long", f"A batch has at most {MOST_AT_ONCE:,} pledges; split this one.")
    by_channel: dict[str, dict[int, SentPledge]] = defaultdict(dict)
    for number, sent in enumerate(rows):
        by_channel[sent.channel][number] = sent
    results: dict[int, PledgeResult] = {}
    for channel, theirs in sorted(by_channel.items()):
        results |= _Taking(session, channel, actor, now, settings).take(theirs)
    return [results[number] for number in range(len(rows))]


def take_checked(
    session: Session,
    *,
    channel: str,
    rows: Mapping[int, dict[str, Any]],
    create_unknown: bool,
    regions: Sequence[str],
    actor: Actor,
    now: dt.datetime,
    settings: PledgeSettings,
) -> dict[int, PledgeResult]:
    """Take rows of one channel that passed the check of files, each under its number.

    Args:
        create_unknown: make drafts of SKUs and regions that nobody described.
        regions: those that stand for a blank one, made anyway.
    """
    if not rows:
        return {}
    drafted = [(row["sku"], row["name"], row["goods"]) for row in rows.values()] if create_unknown else []
    places = {*regions, *(row["region"] for row in rows.values())} if create_unknown else {*regions}
    catalog.register_unknown(
        session,
        skus=list({one[0]: one for one in drafted}.values()),
        regions=sorted(places),
        timezone=settings.timezone,
    )
    taken = {number: Row({}, checked=row) for number, row in rows.items()}
    return _Taking(session, channel, actor, now, settings).take_rows(taken)


class _Taking:
    """The pledges of one channel in one request."""

    def __init__(
        self, session: Session, channel: str, actor: Actor, now: dt.datetime, settings: PledgeSettings
    ) -> None:
        self._session = session
        self._channel = channel
        self._actor = actor
        self._now = now
        self._settings = settings
        here = find_channel(session, code=channel)
        self._currency = here.currency if here else settings.currency

    def take(self, sent: dict[int, SentPledge]) -> dict[int, PledgeResult]:
        key = self._settings.pseudonym_key
        return self.take_rows(look_at(sent, channel=self._channel, currency=self._currency, key=key))

    def take_rows(self, rows: dict[int, Row]) -> dict[int, PledgeResult]:
        codes = self._codes(rows)
        for row in rows.values():
            for flaw in unknown_codes(row, codes):
                row.flaws.append(flaw)
        for number, flaw in tolerances.strangers(self._session, rows, codes).items():
            rows[number].flaws.append(flaw)
        good = {number: row.checked for number, row in rows.items() if not row.flaws}
        outcomes = self._store(good, codes) if good else {}
        return {number: self._result(row, outcomes.get(number)) for number, row in rows.items()}

    def _result(self, row: Row, outcome: Outcome | Flaw | None) -> PledgeResult:
        external_id = row.checked["external_id"] if not row.flaws else None
        if isinstance(outcome, Outcome):
            return PledgeResult(outcome, self._channel, external_id)
        flaws = tuple(row.flaws) if outcome is None else (outcome,)
        return PledgeResult(Outcome.REJECTED, self._channel, external_id, flaws)

    def _codes(self, rows: dict[int, Row]) -> Codes:
        """Ids of the codes; what is no goods is drafted, as a file's postage lines are."""
        wanted = {
            f"{name}s": {row.checked[name] for row in rows.values() if row.checked[name] is not None}
            for name in ("sku", "region", "campaign")
        }
        codes = resolve_codes(self._session, **wanted)
        drafts = {
            row.checked["sku"] for row in rows.values() if not row.flaws and not row.checked["goods"]
        } - codes.skus.keys()
        if not drafts:
            return codes
        skus = [(code, None, False) for code in sorted(drafts)]
        catalog.register_unknown(self._session, skus=skus, regions=[], timezone=self._settings.timezone)
        return resolve_codes(self._session, **wanted)

    def _store(self, good: dict[int, dict[str, Any]], codes: Codes) -> dict[int, Outcome | Flaw]:
        here = take_turn(
            self._session, channel=self._channel, currency=self._settings.currency, now=self._now
        )
        if here.currency != self._currency:
            raise Conflict(
                "channel_changed", "This channel was made a moment ago by someone else; send again."
            )
        signals = [_signal(number, checked, codes, here) for number, checked in good.items()]
        frame = pl.DataFrame(signals, schema=SIGNAL)
        shut = gates.refused(self._session, frame, channel_id=here.id)
        frame = frame.join(shut, on="row", how="anti", maintain_order="left")
        first = frame["external_id"].is_first_distinct()
        met_before = met.before(self._session, frame)
        new = storing.insert_new(self._session, frame.filter(first).sort("external_id"))
        if new.height:  # often all are known already
            self._keep(new)
        corrections.settle(
            self._session,
            channel_id=here.id,
            external_ids=frame["external_id"].unique().to_list(),
            actor=self._actor,
            now=self._now,
        )
        if new.height:
            met.decide(self._session, new, known=met_before, now=self._now)
            caps.decide(self._session, campaigns=new["campaign_id"].drop_nulls().unique(), now=self._now)
        again = frame.join(new.select("row"), on="row", how="anti", maintain_order="left")
        accepted: dict[int, Outcome | Flaw] = dict.fromkeys(new["row"], Outcome.ACCEPTED)
        return accepted | self._known(again, here.id) | _shut(shut)

    def _keep(self, new: pl.DataFrame) -> None:
        """What new signals came with, why some count as nothing, and what they add to the roll-ups."""
        storing.insert_traces(self._session, new)
        tolerances.insert_new(self._session, new)
        storing.insert_exclusions(self._session, new, actor=self._actor, now=self._now)
        rollups.append(self._session, rollups.changes(new))

    def _known(self, again: pl.DataFrame, channel_id: int) -> dict[int, Outcome | Flaw]:
        """Rows whose identity is there already: the same, or a conflict."""
        if again.is_empty():
            return {}
        as_stored = corrections.as_stored(self._session, again, channel_id=channel_id)
        as_stored = tolerances.as_moved(self._session, as_stored, channel_id=channel_id)
        same = known.same_content(self._session, as_stored, channel_id=channel_id)
        same &= tolerances.same(self._session, again, channel_id=channel_id)
        conflict = Flaw("external_id", "identity_conflict", KNOWN_OTHERWISE)
        return {
            number: Outcome.DUPLICATE if one else conflict
            for number, one in zip(again["row"], same, strict=True)
        }


def _shut(refused: pl.DataFrame) -> dict[int, Outcome | Flaw]:
    """Rows that their campaign does not take."""
    flaws = {code: Flaw(text.split(":")[0], code, text) for code, text in gates.SENTENCES.values()}
    return {number: flaws[code] for number, code in refused.select("row", "refusal").iter_rows()}


def _signal(number: int, checked: dict[str, Any], codes: Codes, here: ChannelCurrency) -> dict[str, Any]:
    """A checked row as it is stored: codes as ids, the day at the region's clock, and its reason."""
    sku_id, is_goods = codes.skus[checked["sku"]]
    region_id, timezone = codes.regions[checked["region"]]
    facts = SignalFacts(
        goods=is_goods and checked["goods"],
        status=checked["status"],
        quantity=checked["quantity"],
        unit_price_minor=checked["unit_price_minor"],
        commitment=checked["commitment"],
    )
    return {
        **{name: checked[name] for name in _AS_CHECKED},
        "row": number,
        "channel_id": here.id,
        "batch_id": None,
        "sku_id": sku_id,
        "region_id": region_id,
        "campaign_id": codes.campaigns.get(checked["campaign"]),
        "day": checked["ordered_at"].astimezone(ZoneInfo(timezone)).date(),
        "reason": rules.classify(facts).value,
    }
