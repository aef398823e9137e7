"""The lowest top share of a cap's scope in reach: what leaves no more demand unmet than there is."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from optimizer.form.problem import Problem, ShareCap
from optimizer.insight.focus import Answer, Change, Draft, Questions
from optimizer.model.block import add_piece, couple
from optimizer.model.build import Builder, tally
from optimizer.model.clusters import cluster
from optimizer.model.engine import run
from optimizer.model.item import compile_item
from optimizer.rules.limits import CapRow

# How hard the model looks that says where to ask first.
GAP, NODES = 0.01, 50


def without(row: CapRow) -> Change:
    """The problem without this cap."""
    return lambda problem: replace(problem, share_caps=_others(problem, row))


def _others(problem: Problem, row: CapRow) -> tuple[ShareCap, ...]:
    mine = row.cap.scope, row.key
    return tuple(cap for cap in problem.share_caps if (cap.scope, cap.key) != mine)


def _at_most(row: CapRow, units: int) -> Change:
    """Nobody has more than so many units of the scope, come what may."""
    cap = replace(row.cap, key=row.key, max_share=units / row.demand, hard=True, penalty=0.0)
    return lambda problem: replace(problem, share_caps=(*_others(problem, row), cap))


def lowest_top(ask: Questions, row: CapRow, *, low: int, top: int) -> Answer | None:
    """The lowest share that leaves no more unmet, to 1 % of demand, from what arithmetic allows to that of
    now.

    It asks where it expects the answer: at first what a model reaches that spreads orders and minds nothing
    else, then just below the largest share of a plan that was enough, or where those at the cap would make
    what is still unmet (Newton's method); and halves what is left where that went the same way twice.
    """
    step, most = max(1, row.demand // 100), ask.base(row.skus).unmet()
    failed, high = min(low, top) - 1, top
    best: Draft | None = None
    units, went = min(max(_spread(ask, row), failed + 1), high), None
    while failed < units <= high:
        draft = ask.drafted(_at_most(row, units), row.skus)
        before, went = went, draft is not None and draft.unmet() <= most
        if draft is not None and went:
            best, high = draft, min(units, max(draft.units(row.skus).values(), default=0))
            guess = high - step
        else:
            failed, guess = units, units + _needed(draft, row, units, most=most, step=step)
        if high - failed <= (step if best is not None else 0):
            break
        middle = (failed + high + 1) // 2
        units = min(max(middle if went == before else guess, failed + 1), high)
    return ask.priced(best)


def _needed(draft: Draft | None, row: CapRow, units: int, *, most: int, step: int) -> int:
    """How much more each of those at the cap must have for no more to be unmet."""
    if draft is None:
        return step
    full = sum(1 for has in draft.units(row.skus).values() if has > units - step)
    return -(-(draft.unmet() - most) // max(full, 1))


def _spread(ask: Questions, row: CapRow) -> int:
    """Units of the largest supplier where one SKU's orders are spread as evenly as lots let them be, at any
    cost; 0 where that is not worked out. It only says where to ask first."""
    if ask.whole or len(row.skus) > 1:
        return 0
    (sku,) = row.skus
    part = ask.part([sku])
    item = compile_item(part, part.problem.sku_of[sku])
    one = cluster(part, item, np.zeros(len(part.coupling.room)), priced=False)
    builder = Builder()
    layout = add_piece(builder, part, replace(one.piece, tight=np.zeros(len(one.piece.tight), dtype=bool)))
    couple(builder, part, [(one.piece, layout)])
    suppliers, of = np.unique(item.supplier, return_inverse=True)
    locked = tally(of, weights=item.locked_units, minlength=len(suppliers))
    top = builder.columns(np.ones(1))
    shares = builder.rows(len(suppliers), upper=-locked)
    builder.put(shares[of[item.lots.offer]], layout.count, item.lots.multiple)
    builder.put(shares, top, -1.0)
    lack = sum(units for key, units in ask.base(row.skus).book.unmet.items() if key[0] == sku)
    builder.put(builder.rows(1, upper=float(lack)), layout.unmet, 1.0)
    arrays = builder.arrays()
    cost = np.zeros(len(arrays.cost))
    cost[top] = 1.0
    found = run(replace(arrays, cost=cost), gap=GAP, nodes=NODES)
    return 0 if found.values is None else math.ceil(found.objective - 1e-6)
