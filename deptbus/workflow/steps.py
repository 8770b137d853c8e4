"""What of the entries held for an exercise step counts in it, once its tick is there. Pure."""

from collections.abc import Iterable, Iterator

from deptbus.ids import derived_id
from deptbus.workflow.output import Output
from deptbus.workflow.peers import appended
from deptbus.workflow.state import Entry, Read, key_name


def of_step(tick: Entry, held: Iterable[Read]) -> Iterator[Read]:
    """What came in the step that a tick ends.

    What is dated after it counts as of its end: nobody answers from the future.
    """
    for own, entry, data in held:
        if entry["step"] is None or not made_in(tick, entry):
            yield own, entry if entry["at"] < tick["at"] else {**entry, "at": tick["at"] - 1}, data


def made_in(tick: Entry, entry: Entry) -> bool:
    """Whether an entry was made by another key in the very step that a tick ends, or later."""
    made = entry["step"]
    return made is not None and tick["step"] is not None and made >= tick["step"]


def marked(tick: Entry, outputs: list[Output]) -> None:
    """Have the entries among these outputs, which other keys get, name the step in which they are made."""
    for output in outputs:
        if output.elsewhere:
            output.data["entry"]["step"] = tick["step"]


def put_off(partition: int, offset: int, entry: Entry, tick_offset: int) -> Output:
    """Append an entry again, behind the tick: it was made in the step which that ends, and came before it."""
    event_id = derived_id(f"{partition}@{offset}", "advance", "workflow.EntryAppended", key_name(entry), tick_offset)
    event = entry["event"] or {"id": event_id, "legalbasis": None, "region": None}
    return appended({**entry, "step": None}, event_id, event)._replace(elsewhere=False)
