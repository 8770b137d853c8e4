"""Facts are set; of assignments that do not build on what was there, the latest by event time counts. Pure.

Forecasts and reports overtake each other. What replaces a fact must not come from an older event than what set it
last; what reads the fact it sets (a sum, a maximum) counts whenever it comes.
"""

from deptbus.workflow.change import Change
from deptbus.workflow.expressions import EvaluationError, Expression

FACT_TEXT_MAX = 10_000
"""A fact that would be longer stays as it was, and is recorded."""


def assign(change: Change, assigned: tuple[tuple[str, Expression], ...], of: str) -> None:
    """Set facts, all from the values before; what cannot be evaluated stays as it was, and is recorded."""
    if not assigned:
        return
    values, newest, overtaken = {}, [], []
    for name, expression in assigned:
        late = _overtaken(change, name)
        if late and f"facts.{name}" not in expression.names:
            overtaken.append(name)
            continue
        try:
            value = expression.evaluate(change)
            if isinstance(value, str) and len(value) > FACT_TEXT_MAX:
                raise EvaluationError(f"{len(value)} characters; {FACT_TEXT_MAX} are allowed.")
            values[name] = value
            if not late:
                newest.append(name)
        except EvaluationError as error:
            change.timeline("fact_failed", rule=of, fact=name, reason=str(error))
    if overtaken:
        change.timeline("fact_overtaken", rule=of, facts=", ".join(overtaken))
    if values:
        change.own("facts").update(values)
    if newest:
        at, event_id = change.dated
        source = {"at": at, "id": event_id}
        change.own("latest").update(dict.fromkeys(newest, source))


def _overtaken(change: Change, name: str) -> bool:
    latest = change.instance["latest"].get(name)
    return latest is not None and change.dated < (latest["at"], latest["id"])
