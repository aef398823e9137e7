from __future__ import annotations


def solve_in_parts(net, settings, tell, *, deadline):
    from optimizer.item import compile_item
    from optimizer.monolith import solve_at_once

    items = {s.id: compile_item(net, s) for s in net.problem.skus}
    return solve_at_once(
        net, items, gap=settings.gap, seed=settings.seed, nodes=1000, seconds=settings.time_limit
    )
