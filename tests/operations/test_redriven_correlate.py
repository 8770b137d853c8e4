"""What ``correlate`` gave up comes to it again; what another group gave up does not."""

import json
from pathlib import Path

import pytest

from deptbus.clock import iso
from deptbus.jsondata import to_json
from deptbus.record import Record
from deptbus.redriven import ARRIVAL, COUNT, FOR, OF, arrival_ms, is_for, redriven_for, stamp
from deptbus.testing import wait_until
from tests.operations.letters import REASON, command
from tests.streams.conftest import workers, world  # noqa: F401  # fixtures
from tests.streams.world import CASES, LIMIT_S, REGIONS, Workers, World, counting
from tests.workflow.world import START, sample


@pytest.mark.kafka
def test_an_edited_letter_of_correlate_enters_the_journal_and_what_is_for_others_does_not(
    world: World,  # noqa: F811
    workers: Workers,  # noqa: F811
    tmp_path: Path,
) -> None:
    world.activate(counting())
    workers.start("correlate")
    world.publish(REGIONS[:1], time_ms=START)
    world.wait_for_entries(1)
    (record,) = [one for one, kind, _ in world.read(world.catalogue.topic_of(CASES).name) if kind == CASES]
    headers = stamp(record.headers, "hospitals", "l1", 1, record.timestamp_ms)
    world.sender.send(record.topic, record.key, record.value or b"", headers, "raw").result().require()
    poison = [(name, value) for name, value in record.headers if name != "ce_id"]
    world.send_raw(
        record.topic, (record.value or b"")[:-1], [*poison, ("ce_id", b"01890000-0000-7000-8000-000000000001")]
    )
    run = command(world.settings.environment())
    wait_until(lambda: run("list", "--json").json, LIMIT_S)
    (letter,) = run("list", "--all", "--json").json
    assert (letter["group"], letter["reason"]) == ("correlate", "undecodable")
    mended = tmp_path / "mended.json"
    schema = world.catalogue.schemas.newest(CASES).schema
    mended.write_text(json.dumps(to_json(schema, sample(CASES, region=REGIONS[1], count=1))))
    done = run("edit", letter["id"], "--file", str(mended), *REASON)
    assert done.code == 0, done.err
    world.wait_for_entries(2)
    world.publish(REGIONS[2:3], time_ms=START)
    world.wait_for_entries(3)
    assert sorted(world.journalled().values()) == [1, 1, 1]


def test_a_record_that_was_sent_again_says_for_whom_from_what_how_often_and_when_it_first_came() -> None:
    first = Record("t", 0, 5, 1_000, b"k", b"v", [("ce_id", b"e"), (FOR, b"old"), (COUNT, b"1")])
    headers = stamp(first.headers, "cdc", "l1", 2, first.timestamp_ms)
    assert headers == [
        (FOR, b"cdc"), (OF, b"l1"), (COUNT, b"2"), (ARRIVAL, iso(1_000).encode()), ("ce_id", b"e"),
    ]  # fmt: skip
    again = first._replace(offset=9, timestamp_ms=9_000, headers=headers)
    assert redriven_for(headers) == "cdc"
    assert (is_for(headers, "cdc"), is_for(headers, "health"), is_for([], "health")) == (True, False, True)
    assert arrival_ms(again) == 1_000
    assert arrival_ms(again._replace(headers=stamp(headers, "cdc", "l2", 3, 9_000))) == 1_000
    assert arrival_ms(first._replace(headers=[])) == 1_000
    assert arrival_ms(again._replace(timestamp_ms=500)) == 500  # nothing comes before it is there
