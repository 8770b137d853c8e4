"""What an instance remembers is shown by the names that its definition has for it."""

from deptbus.desk.remembered import remembered
from deptbus.workflow.definition import Titles
from tests.command.projecting import command_pack
from tests.workflow.world import START


def test_facts_are_named_by_the_definition_in_its_order_and_times_are_told_as_such() -> None:
    definition = command_pack().definition
    fact = definition.facts["cases"]
    named = definition.model_copy(
        update={
            "facts": {
                "since": fact.model_copy(update={"time": True, "titles": Titles(zh="自", en="since")}),
                "until": fact.model_copy(update={"time": True}),
                "cases": fact,
            }
        }
    )
    found = remembered({"cases": 0, "until": 0, "since": START, "unknown": True, "empty": "", "none": None}, named)
    assert [(one.name, one.value, one.time) for one in found] == [
        ("since", START, True),
        ("cases", 0, False),
        ("unknown", True, False),
    ]
    assert found[0].titles.en == "since"
    assert found[1].titles.zh == "cases"


def test_nothing_is_remembered_of_a_past_that_does_not_tell() -> None:
    assert remembered(None, None) == []
