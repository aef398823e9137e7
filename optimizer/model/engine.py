"""The one place that talks to OR-Tools: a model as arrays in, values, bound and duals out.

Models go to MathOpt as filled protocol buffers: building the same model from Python expressions takes
about thirty times as long. HiGHS is asked first, SCIP when HiGHS has no plan within its limits.
Only deterministic limits (nodes) are set here; the wall-clock limit is a last resort and reported as such.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ortools.math_opt import (
    callback_pb2,
    model_parameters_pb2,
    model_pb2,
    parameters_pb2,
    result_pb2,
    solution_pb2,
)
from ortools.math_opt.core.python import solver as _core

from optimizer.form.errors import SolverError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
INF = float("inf")
HIGHS = parameters_pb2.SOLVER_TYPE_HIGHS
SCIP = parameters_pb2.SOLVER_TYPE_GSCIP
CP_SAT = parameters_pb2.SOLVER_TYPE_CP_SAT
# Whole numbers up to this are exact.
LARGEST = 2.0**53


@dataclass(frozen=True, kw_only=True)
class Arrays:
    """Minimise cost·x subject to row_lower <= A x <= row_upper, lower <= x <= upper.

    A is given by triplets sorted by row then column, without duplicates. integer marks whole-number columns.
    start is an optional known solution (one value a column) handed to the solver as a hint.
    """

    cost: Floats
    lower: Floats
    upper: Floats
    integer: NDArray[np.bool_]
    row_lower: Floats
    row_upper: Floats
    rows: Ints
    columns: Ints
    values: Floats
    start: Floats | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """values is None when no plan was found; bound is proven; duals only for a pure LP."""

    values: Floats | None
    objective: float
    bound: float
    optimal: bool
    duals: Floats | None = None
    timed_out: bool = False
    infeasible: bool = False


def run(
    model: Arrays,
    *,
    gap: float = 0.0,
    seed: int = 0,
    nodes: int | None = None,
    seconds: float | None = None,
    kinds: tuple[Any, ...] = (HIGHS, SCIP),
) -> Answer:
    """Solve with HiGHS; ask SCIP when HiGHS ends without a plan. Raises SolverError when both fail."""
    proto = _proto(model)
    problems: list[str] = []
    answer: Answer | None = None
    for kind in kinds:
        try:
            answer = _ask(proto, model, kind, gap=gap, seed=seed, nodes=nodes, seconds=seconds)
        except Exception as error:  # the binding raises its own status type; its text is all there is
            problems.append(f"{error} {error.__context__ or ''}".strip())
            continue
        if answer.values is not None or answer.infeasible:
            return answer
    if answer is None:
        raise SolverError("; ".join(problems))
    return answer


def choose(model: Arrays, *, gap: float, work: float, seed: int = 0) -> Answer:
    """Solve a model of whole numbers alone, up to so much work: seconds by a count that no clock is in."""
    params = parameters_pb2.SolveParametersProto(relative_gap_tolerance=gap, random_seed=seed, threads=1)
    params.cp_sat.max_deterministic_time = work
    params.cp_sat.linearization_level = 2
    params.cp_sat.mip_max_bound = LARGEST  # else it cuts columns at 1e7, and refuses a start above that
    try:
        return _solved(_proto(model), model, CP_SAT, params)
    except Exception as error:  # as above
        raise SolverError(f"{error} {error.__context__ or ''}".strip()) from error


def _ask(
    proto: model_pb2.ModelProto,
    model: Arrays,
    kind: Any,
    *,
    gap: float,
    seed: int,
    nodes: int | None,
    seconds: float | None,
) -> Answer:
    params = parameters_pb2.SolveParametersProto(relative_gap_tolerance=gap, random_seed=seed)
    if nodes is not None:
        params.node_limit = nodes
    if seconds is not None and seconds < INF:
        params.time_limit.FromTimedelta(timedelta(seconds=seconds))
    if not bool(model.integer.any()):
        params.ClearField("relative_gap_tolerance")
        params.ClearField("node_limit")
        params.presolve = parameters_pb2.EMPHASIS_OFF  # simplex alone is faster on models this size
    elif kind == HIGHS and nodes is not None:
        params.highs.bool_options["mip_allow_restart"] = False
        params.highs.bool_options["mip_detect_symmetry"] = False
    return _solved(proto, model, kind, params)


def _solved(proto: model_pb2.ModelProto, model: Arrays, kind: Any, params: Any) -> Answer:
    result = _core.solve(
        proto,
        kind,
        parameters_pb2.SolverInitializerProto(),
        params,
        _hints(model),
        None,
        callback_pb2.CallbackRegistrationProto(),
        None,
        None,
    )
    return _answer(result, model)


def _hints(model: Arrays) -> model_parameters_pb2.ModelSolveParametersProto:
    params = model_parameters_pb2.ModelSolveParametersProto()
    if model.start is not None:
        hint = params.solution_hints.add()
        hint.variable_values.ids.extend(range(len(model.start)))
        hint.variable_values.values.extend(model.start.tolist())
    return params


def _proto(model: Arrays) -> model_pb2.ModelProto:
    proto = model_pb2.ModelProto()
    count = len(model.cost)
    variables = proto.variables
    variables.ids.extend(range(count))
    variables.lower_bounds.extend(model.lower.tolist())
    variables.upper_bounds.extend(model.upper.tolist())
    variables.integers.extend(model.integer.tolist())
    used = np.flatnonzero(model.cost)
    proto.objective.linear_coefficients.ids.extend(used.tolist())
    proto.objective.linear_coefficients.values.extend(model.cost[used].tolist())
    rows = proto.linear_constraints
    rows.ids.extend(range(len(model.row_lower)))
    rows.lower_bounds.extend(model.row_lower.tolist())
    rows.upper_bounds.extend(model.row_upper.tolist())
    matrix = proto.linear_constraint_matrix
    matrix.row_ids.extend(model.rows.tolist())
    matrix.column_ids.extend(model.columns.tolist())
    matrix.coefficients.extend(model.values.tolist())
    return proto


def _answer(result: result_pb2.SolveResultProto, model: Arrays) -> Answer:
    reason = result.termination.reason
    infeasible = reason == result_pb2.TERMINATION_REASON_INFEASIBLE
    optimal = reason == result_pb2.TERMINATION_REASON_OPTIMAL
    timed_out = result.termination.limit == result_pb2.LIMIT_TIME
    bound = result.termination.objective_bounds.dual_bound
    if not result.solutions or not _is_plan(result.solutions[0]):
        return Answer(
            values=None, objective=INF, bound=bound, optimal=False, timed_out=timed_out, infeasible=infeasible
        )
    best = result.solutions[0]
    primal = best.primal_solution
    values = _dense(primal.variable_values, len(model.cost))
    duals = None
    if best.HasField("dual_solution"):
        duals = _dense(best.dual_solution.dual_values, len(model.row_lower))
    return Answer(
        values=values,
        objective=primal.objective_value,
        bound=min(bound, primal.objective_value),
        optimal=optimal,
        duals=duals,
        timed_out=timed_out,
    )


def _is_plan(solution: solution_pb2.SolutionProto) -> bool:
    """HiGHS hands over the last point of an infeasible LP too, and says so only in its status."""
    if not solution.HasField("primal_solution"):
        return False
    return bool(solution.primal_solution.feasibility_status == solution_pb2.SOLUTION_STATUS_FEASIBLE)


def _dense(sparse: Any, size: int) -> Floats:
    dense = np.zeros(size)
    dense[np.asarray(sparse.ids, dtype=np.int64)] = np.asarray(sparse.values, dtype=np.float64)
    return dense
