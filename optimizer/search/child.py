"""A long search in one model, in a process of its own: whoever cancels gets the best plan so far at once."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection

from optimizer.form.clock import Clock
from optimizer.form.errors import SolverError
from optimizer.form.problem import Problem
from optimizer.model.item import compile_item
from optimizer.model.monolith import AtOnce, Question, improving
from optimizer.model.network import Network, network
from optimizer.model.wide import improving_wide

# Seconds between two looks at whether to go on, and how long a solver may overrun its limit.
LOOK, GRACE = 0.5, 5.0


def answers(net: Network, asked: Question) -> Iterator[AtOnce]:
    """Better and better answers; the last one is final. Nobody can stop one in the making."""
    items = {sku.id: compile_item(net, sku) for sku in net.problem.skus}
    if asked.wide:
        (item,) = items.values()
        return improving_wide(net, item, asked)
    return improving(net, items, asked)


def answers_apart(
    problem: Problem, asked: Question, *, clock: Clock, tell: Callable[[], None]
) -> Iterator[AtOnce]:
    """The same from a child process, until it has the final one, the clock cancels or the time is over.

    tell is called about twice a second: that is when it may cancel. Raises SolverError where the child fails.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(there, problem, asked), daemon=True)
    process.start()
    there.close()
    deadline = clock.until(1.0)
    try:
        while True:
            while not here.poll(LOOK):
                tell()
                if deadline.passed(after=GRACE):
                    return
            found = here.recv()
            if found is None:
                return
            if isinstance(found, str):
                raise SolverError(found)
            yield found
    except EOFError as error:
        raise SolverError("the process of the search ended before it was done") from error
    finally:
        process.kill()
        process.join()
        here.close()


def _work(there: Connection, problem: Problem, asked: Question) -> None:
    """The child: its output is nobody's to read."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    try:
        for found in answers(network(problem), asked):
            there.send(found)
        there.send(None)
    except SolverError as error:
        there.send(str(error))
