"""What every transport of the bus must do. ``test_memory.py`` and ``test_kafka.py`` run these on theirs."""

import asyncio
import os
import random
import signal
import string
import threading
from typing import Any

import pytest

from deptbus.bus import Bus
from deptbus.deadletters import DeadLetters
from deptbus.envelope import Envelope, to_headers
from deptbus.errors import CatalogueError, CodecError, NotGranted, NotOwner, PublishUnknown, Retry
from deptbus.handlers import Context
from deptbus.ids import random_id
from deptbus.partitioning import partition_of
from deptbus.record import Event, Record
from deptbus.redriven import stamp
from deptbus.testing import run_until, running, together, wait_until
from tests.bus.worlds import World

CASE = "ward.CaseReported"
OPENED = "lab.InvestigationOpened"


def report(bus: Bus, case: str, **envelope: Any) -> str:
    """Publish one case as ward; its event id."""
    outcome = bus.publish(CASE, {"case": case, "reported": 5}, subject=envelope.pop("subject", case), **envelope)
    return outcome.require().event_id


def noise(length: int) -> str:
    """Text that does not compress: topics measure what is sent."""
    return "".join(random.Random(length).choices(string.ascii_letters, k=length))


def collect(bus: Bus, seen: list[Event], *types: str, **options: Any) -> None:
    """Subscribe a handler that appends what it gets."""

    @bus.subscribe(*(types or (CASE,)), **options)
    def append(event: Event) -> None:
        seen.append(event)


class Publishing:
    def test_an_acknowledged_event_says_where_it_is_and_can_be_read_there(self, world: World) -> None:
        ward = world.connect("ward")
        outcome = ward.publish(CASE, {"case": "c1", "reported": 5}, subject="c1", region="440100", actor="Li Wei")
        assert outcome.acknowledged
        assert outcome.timestamp_ms > 0
        (event,) = world.events("ward.cases")
        assert (event.record.partition, event.record.offset) == (outcome.partition, outcome.offset)
        assert event.record.timestamp_ms == outcome.timestamp_ms
        assert event.data == {"case": "c1", "count": 1, "reported": 5, "patient": None, "note": None}
        envelope = event.envelope
        assert (envelope.id, envelope.type, envelope.source) == (outcome.event_id, CASE, "/departments/ward")
        assert (envelope.region, envelope.actor, envelope.mode) == ("440100", "Li Wei", "exercise")
        assert envelope.classification == "sensitive"
        assert envelope.traceparent is not None

    def test_many_events_are_each_answered_by_one_flush(self, world: World) -> None:
        ward = world.connect("ward")
        pending = [ward.publish_soon(CASE, {"case": str(n)}, subject=str(n)) for n in range(1000)]
        ward.flush()
        outcomes = [one.outcome for one in pending]
        assert all(outcome is not None and outcome.acknowledged for outcome in outcomes)
        assert len({(o.partition, o.offset) for o in outcomes if o}) == 1000

    def test_keys_lie_where_java_clients_put_them(self, world: World) -> None:
        ward = world.connect("ward")
        for number in range(50):
            outcome = ward.publish(CASE, {"case": "x"}, subject=f"病例-{number}")
            assert outcome.partition == partition_of(f"病例-{number}".encode(), 4)

    def test_a_foreign_topic_is_refused_in_words(self, world: World) -> None:
        with pytest.raises(NotOwner, match=r"lab cannot publish ward.CaseReported: its topic ward.cases belongs"):
            world.connect("lab").publish(CASE, {"case": "c"}, subject="c")

    def test_nobody_publishes_an_act_past_the_recorder(self, world: World) -> None:
        for owner in ("roads", "bus"):
            with pytest.raises(NotOwner, match=r"bus\.audit is a chain of records\. Record the act with"):
                world.connect(owner).publish("bus.ActAudited", {"act": "x", "detail": {}}, subject="x")

    def test_data_that_do_not_fit_are_refused_before_anything_is_sent(self, world: World) -> None:
        ward = world.connect("ward")
        with pytest.raises(CodecError, match="do not fit"):
            ward.publish(CASE, {"case": 5}, subject="c")
        with pytest.raises(CatalogueError, match="No topic carries"):
            ward.publish("ward.Nothing", {}, subject="c")
        assert world.records("ward.cases") == []

    def test_what_the_topic_refuses_is_failed(self, world: World) -> None:
        outcome = world.connect("lab").publish("lab.NoteWritten", {"text": noise(50_000)}, subject="n")
        assert outcome.state == "failed"
        assert world.records("lab.notes") == []


class Subscribing:
    def test_def_and_async_def_handlers_get_the_events_they_name(self, world: World) -> None:
        ward, lab = world.connect("ward"), world.connect("lab")
        called: list[tuple[str, str]] = []

        @lab.subscribe(CASE)
        def plain(event: Event, context: Context) -> None:
            called.append(("plain", event.data["case"]))

        @lab.subscribe(CASE)
        async def waiting(event: Event, context: Context) -> None:
            called.append(("async", event.data["case"]))

        report(ward, "c1")
        ward.publish("ward.CaseDiscarded", {"case": "c1"}, subject="c1").require()
        report(ward, "c2", subject="c1")
        run_until(lab, lambda: len(called) == 4)
        assert called == [("plain", "c1"), ("async", "c1"), ("plain", "c2"), ("async", "c2")]

    def test_a_header_filter_leaves_out_what_does_not_concern_a_handler(self, world: World) -> None:
        ward, lab = world.connect("ward"), world.connect("lab")
        seen: list[Event] = []
        collect(lab, seen, where=lambda envelope: envelope.region == "440300")
        report(ward, "c1", region="440100")
        report(ward, "c2", region="440300")
        run_until(lab, lambda: seen)
        assert [event.data["case"] for event in seen] == ["c2"]

    def test_events_of_one_key_arrive_in_order(self, world: World) -> None:
        ward, lab = world.connect("ward"), world.connect("lab")
        seen: list[Event] = []
        collect(lab, seen)
        for number in range(400):
            ward.publish_soon(CASE, {"case": str(number)}, subject=f"k{number % 7}")
        ward.flush()
        run_until(lab, lambda: len(seen) == 400)
        for key in range(7):
            numbers = [int(e.data["case"]) for e in seen if e.envelope.subject == f"k{key}"]
            assert numbers == list(range(key, 400, 7))

    def test_without_a_grant_reading_is_refused_in_words(self, world: World) -> None:
        with pytest.raises(NotGranted, match=r"ward cannot read lab.notes.*lab can grant it.*topics/lab.yaml"):
            collect(world.connect("ward"), [], "lab.NoteWritten")

    def test_a_grant_leaves_only_the_fields_it_names(self, world: World) -> None:
        ward, roads = world.connect("ward"), world.connect("roads", clock=lambda: 0)
        seen: list[Event] = []
        collect(roads, seen)
        patient = {"name": "张三", "age": 40}
        ward.publish(CASE, {"case": "c1", "patient": patient}, subject="c1").require()
        run_until(roads, lambda: seen)
        assert seen[0].data == {"case": "c1", "patient": {"age": 40}}

    def test_a_grant_that_lapses_ends_the_run(self, world: World) -> None:
        now = [0]
        ward, roads = world.connect("ward"), world.connect("roads", clock=lambda: now[0])
        seen: list[Event] = []
        collect(roads, seen)
        report(ward, "c1")

        def lapse_while_running() -> None:
            with running(roads):
                wait_until(lambda: seen)
                now[0] = 2_000_000_000_000
                report(ward, "c2")
                wait_until(lambda: roads.has_ended)

        with pytest.raises(NotGranted):
            lapse_while_running()
        assert len(seen) == 1

    def test_a_stopped_bus_has_committed_and_the_next_goes_on_behind(self, world: World) -> None:
        ward = world.connect("ward")
        first: list[Event] = []
        second: list[Event] = []
        bus = world.connect("lab")
        collect(bus, first)
        report(ward, "c1")
        run_until(bus, lambda: first)
        report(ward, "c2")
        bus = world.connect("lab")
        collect(bus, second)
        run_until(bus, lambda: second)
        assert [event.data["case"] for event in second] == ["c2"]
        assert sum(world.committed("lab", "ward.cases").values()) == 2

    def test_two_members_of_a_group_share_the_work(self, world: World) -> None:
        ward = world.connect("ward")
        seen: list[Event] = []
        buses = [world.connect("lab") for _ in range(2)]
        for bus in buses:
            collect(bus, seen)
        with running(buses[0]), running(buses[1]):
            for number in range(200):
                ward.publish_soon(CASE, {"case": str(number)}, subject=str(number))
            ward.flush()
            wait_until(lambda: len({event.envelope.id for event in seen}) == 200)
            wait_until(lambda: sum(world.committed("lab", "ward.cases").values()) == 200)

    def test_groups_of_one_department_each_get_every_event(self, world: World) -> None:
        ward = world.connect("ward")
        report(ward, "c1")
        for group in ("lab", "lab.statistics"):
            seen: list[Event] = []
            bus = world.connect("lab", group=group)
            collect(bus, seen)
            run_until(bus, lambda seen=seen: seen)


class Effects:
    def test_what_a_handler_publishes_names_its_cause(self, world: World) -> None:
        ward, lab = world.connect("ward"), world.connect("lab")

        @lab.subscribe(CASE)
        async def investigate(event: Event, context: Context) -> None:
            context.publish(OPENED, {"case": event.data["case"]}, subject="i1", legal_basis="Law art. 1")

        cause = report(ward, "c1", correlation_id="epidemic/440100/1")
        run_until(lab, lambda: world.records("lab.investigations"))
        (event,) = world.events("lab.investigations")
        (reported,) = world.events("ward.cases")
        assert event.envelope.causationid == cause
        assert event.envelope.correlationid == "epidemic/440100/1"
        assert event.envelope.mode == "exercise"
        assert event.envelope.legalbasis == "Law art. 1"
        assert event.envelope.traceparent.split("-")[1] == reported.envelope.traceparent.split("-")[1]
        assert event.envelope.traceparent != reported.envelope.traceparent

    def test_a_redelivered_event_publishes_the_same_ids(self, world: World) -> None:
        ward = world.connect("ward")
        report(ward, "c1")
        for attempt in range(2):
            lab = world.connect("lab", group=f"lab.{attempt}")

            @lab.subscribe(CASE)
            def investigate(event: Event, context: Context) -> None:
                for _ in range(2):
                    context.publish(OPENED, {"case": event.data["case"]}, subject="i1")

            run_until(lab, lambda count=2 * (attempt + 1): len(world.records("lab.investigations")) == count)
        ids = [event.envelope.id for event in world.events("lab.investigations")]
        assert ids[:2] == ids[2:]
        assert ids[0] != ids[1]

    def test_an_event_delivered_twice_has_its_effect_once(self, world: World) -> None:
        ward, lab = world.connect("ward"), world.connect("lab")
        seen: list[Event] = []
        collect(lab, seen)
        for _ in range(3):
            report(ward, "c1", id="0190a5c0-0000-7000-8000-000000000001")
        report(ward, "c2", subject="c1")
        run_until(lab, lambda: len(seen) == 2)
        assert [event.data["case"] for event in seen] == ["c1", "c2"]
        assert lab.health().counts["duplicates"] == 2

    def test_a_handler_that_fails_is_called_again_and_publishes_once(self, world: World) -> None:
        ward, lab = world.connect("ward"), world.connect("lab")
        attempts: list[int] = []

        @lab.subscribe(CASE)
        def investigate(event: Event, context: Context) -> None:
            attempts.append(context.attempt)
            context.publish(OPENED, {"case": event.data["case"]}, subject="i1")
            if len(attempts) == 1:
                raise Retry("not yet")
            if len(attempts) == 2:
                raise ValueError("trouble")

        report(ward, "c1")
        run_until(lab, lambda: world.records("lab.investigations"))
        assert attempts == [1, 2, 3]
        assert len(world.records("lab.investigations")) == 1
        assert world.records("bus.deadletters") == []

    def test_an_error_that_is_not_the_events_ends_the_run_and_the_event_comes_again(self, world: World) -> None:
        ward, lab = world.connect("ward"), world.connect("lab")
        first: list[str] = []

        @lab.subscribe(CASE)
        def investigate(event: Event, context: Context) -> None:
            first.append(event.data["case"])
            if event.data["case"] == "c2":
                raise PublishUnknown("another broker is away")

        for case in ("c1", "c2", "c3"):
            report(ward, case, subject="same")
        with pytest.raises(PublishUnknown):
            run_until(lab, lambda: False)
        assert first == ["c1", "c2"]
        lab = world.connect("lab")
        second: list[Event] = []
        collect(lab, second)
        run_until(lab, lambda: len(second) == 2)
        assert [event.data["case"] for event in second] == ["c2", "c3"]


class DeadLettering:
    def test_an_event_that_no_attempt_can_handle_is_kept_whole_and_its_neighbours_flow(self, world: World) -> None:
        ward, lab = world.connect("ward"), world.connect("lab")
        seen: list[str] = []

        @lab.subscribe(CASE)
        def investigate(event: Event, context: Context) -> None:
            if event.data["case"] == "bad":
                raise ValueError("no such hospital")
            seen.append(event.data["case"])

        for case in ("c1", "bad", "c2"):
            report(ward, case, subject="same")
        run_until(lab, lambda: len(seen) == 2)
        (letter,) = world.events("bus.deadletters")
        bad = next(e for e in world.events("ward.cases") if e.data["case"] == "bad")
        data = letter.data
        assert (data["topic"], data["partition"], data["offset"]) == (
            "ward.cases", bad.record.partition, bad.record.offset,
        )  # fmt: skip
        assert (data["value"], data["key"]) == (bad.record.value, bad.record.key)
        assert [(h["name"], h["value"]) for h in data["headers"]] == list(bad.record.headers)
        assert (data["reason"], data["attempts"], data["group"], data["truncated"]) == ("handler", 3, "lab", False)
        assert "no such hospital" in data["message"]
        assert sum(world.committed("lab", "ward.cases").values()) == 3

    def test_a_handler_that_fails_after_it_has_waited_is_called_again_and_then_a_dead_letter(
        self, world: World
    ) -> None:
        ward, lab = world.connect("ward"), world.connect("lab")
        called: list[tuple[str, int]] = []

        @lab.subscribe(CASE)
        async def investigate(event: Event, context: Context) -> None:
            called.append((event.data["case"], context.attempt))
            await asyncio.sleep(0)
            if event.data["case"] == "bad" or context.attempt == 1:
                raise ValueError("no such hospital")

        for case in ("bad", "c2"):
            report(ward, case, subject="same")
        run_until(lab, lambda: len(called) == 5)
        assert called == [("bad", 1), ("bad", 2), ("bad", 3), ("c2", 1), ("c2", 2)]
        (letter,) = world.events("bus.deadletters")
        assert (letter.data["reason"], letter.data["attempts"]) == ("handler", 3)

    def test_poison_is_a_dead_letter_each_with_its_reason(self, world: World) -> None:
        ward, lab = world.connect("ward"), world.connect("lab")
        seen: list[Event] = []
        collect(lab, seen)
        good = world.codec.encode(CASE, {"case": "x"})
        text = world.codec.encode(CASE, {"case": "abcd"})
        poison = {
            "bad_magic": b"\x01" + good[1:],
            "unknown_schema": b"\x00\x7f\xff\xff\xff" + good[5:],
            "undecodable": good[:-3],
            "trailing": good + b"\x00",
            "framing": b"\x00",
            "too_large": good + b"\x00" * 2_000_000,
        }
        for value in poison.values():
            self.put(world, value)
        self.put(world, text.replace(b"abcd", b"\xff\xfe\xfd\xfc"))
        self.put(world, None)
        world.put("ward.cases", good, b"k", [("ce_type", CASE.encode())])
        world.put("ward.cases", good, b"k", [])
        report(ward, "c1", subject="k")
        run_until(lab, lambda: seen and len(world.records("bus.deadletters")) == 10)
        reasons = sorted(event.data["reason"] for event in world.events("bus.deadletters"))
        assert reasons == sorted([*poison, "undecodable", "framing", "headers", "headers"])
        large = next(e.data for e in world.events("bus.deadletters") if e.data["reason"] == "too_large")
        assert large["value"] == poison["too_large"]

    def test_of_a_value_that_no_letter_can_hold_the_head_is_kept(self, world: World) -> None:
        bus = world.connect("lab")
        letters = DeadLetters(bus._publisher, "lab", world.codec.value_bytes_max("bus.DeadLettered"))
        huge = Record("ward.cases", 0, 7, 1, b"k", b"v" * 6_000_000, [("a", b"b" * 100)])
        letters.send(huge, "too_large", "m", 0).result().require()
        headers = Record("ward.cases", 0, 8, 1, b"k" * 3_000_000, b"v", [("a", b"b" * 6_000_000)])
        letters.send(headers, "too_large", "m", 0).result().require()
        first, second = (event.data for event in world.events("bus.deadletters"))
        assert first["truncated"]
        assert len(first["value"]) > 4_000_000
        assert second["truncated"]

    def test_an_event_of_another_mode_is_recorded_and_not_handled(self, world: World) -> None:
        ward, lab = world.connect("ward"), world.connect("lab")
        seen: list[Event] = []
        collect(lab, seen)
        report(ward, "c1", mode="actual", subject="k")
        report(ward, "c2", subject="k")
        run_until(lab, lambda: seen)
        assert [event.data["case"] for event in seen] == ["c2"]
        (letter,) = world.events("bus.deadletters")
        assert letter.data["reason"] == "foreign_mode"

    def test_an_output_that_the_broker_refuses_makes_its_cause_a_dead_letter(self, world: World) -> None:
        ward, lab = world.connect("ward"), world.connect("lab")

        @lab.subscribe(CASE)
        def note(event: Event, context: Context) -> None:
            context.publish("lab.NoteWritten", {"text": noise(int(event.data["case"]))}, subject="n")

        with running(lab):
            for size, topic, count in ((10, "lab.notes", 1), (50_000, "bus.deadletters", 1), (20, "lab.notes", 2)):
                report(ward, str(size), subject="k")
                wait_until(lambda topic=topic, count=count: len(world.records(topic)) == count)
        (letter,) = world.events("bus.deadletters")
        assert letter.data["reason"] == "publish_failed"

    def put(self, world: World, value: bytes | None) -> None:
        envelope = Envelope(
            id=random_id(), type=CASE, source="/departments/ward", time_ms=1, subject="k", mode="exercise"
        )
        world.put("ward.cases", value, b"k", to_headers(envelope))


class Redriven:
    """A record that was given up and is sent again."""

    def test_it_is_handled_by_the_group_that_gave_it_up_and_passed_over_by_others(self, world: World) -> None:
        ward = world.connect("ward")
        lab, statistics = world.connect("lab"), world.connect("lab", group="lab.statistics")
        well = threading.Event()
        handled: list[str] = []
        counted: list[Event] = []

        @lab.subscribe(CASE)
        def investigate(event: Event) -> None:
            if not well.is_set():
                raise ValueError("trouble")
            handled.append(event.envelope.id)

        collect(statistics, counted)
        event_id = report(ward, "c1", subject="k")
        with running(lab), running(statistics):
            wait_until(lambda: world.records("bus.deadletters") and counted)
            well.set()
            self.again(world, "lab")
            wait_until(lambda: handled)
            self.again(world, "lab")  # handled once, it has had its effect
            report(ward, "c2", subject="k")
            wait_until(lambda: len(handled) == 2 and len(counted) == 2)
        assert handled[0] == event_id
        assert [event.data["case"] for event in counted] == ["c1", "c2"]
        assert lab.health().counts["duplicates"] == 1
        assert "duplicates" not in statistics.health().counts
        assert len(world.records("bus.deadletters")) == 1

    def test_given_up_again_it_is_a_letter_that_names_the_first(self, world: World) -> None:
        ward, lab = world.connect("ward"), world.connect("lab")

        @lab.subscribe(CASE)
        def fail(event: Event) -> None:
            raise ValueError("trouble")

        report(ward, "c1", subject="k")
        with running(lab):
            wait_until(lambda: len(world.records("bus.deadletters")) == 1)
            self.again(world, "lab")
            wait_until(lambda: len(world.records("bus.deadletters")) == 2)
        first, second = world.events("bus.deadletters")
        assert {"name": "ce_redriveof", "value": first.envelope.id.encode()} in second.data["headers"]
        assert {"name": "ce_redrivecount", "value": b"1"} in second.data["headers"]

    def test_what_several_in_a_process_gave_up_comes_to_each_by_itself(self, world: World) -> None:
        ward, lab, roads = Together.connect(world, "ward", "lab", "roads")
        well = threading.Event()
        handled: list[str] = []

        def subscribe(bus: Bus) -> None:
            @bus.subscribe(CASE)
            def investigate(event: Event) -> None:
                if not well.is_set():
                    raise ValueError("trouble")
                handled.append(bus.owner)

        subscribe(lab)
        subscribe(roads)
        report(ward, "c1", subject="k")
        with together(lab, roads):
            wait_until(lambda: len(world.records("bus.deadletters")) == 2)
            well.set()
            self.again(world, "roads")
            wait_until(lambda: handled)
            self.again(world, "lab")
            wait_until(lambda: len(handled) == 2)
        assert handled == ["roads", "lab"]

    def test_what_no_envelope_can_be_read_of_is_given_up_again_by_its_group_alone(self, world: World) -> None:
        lab, statistics = world.connect("lab"), world.connect("lab", group="lab.statistics")
        collect(lab, [])
        collect(statistics, [])
        world.put("ward.cases", b"x", b"k", stamp([("ce_type", CASE.encode())], "lab", "l1", 1, 5))
        with running(lab), running(statistics):
            wait_until(lambda: sum(world.committed("lab.statistics", "ward.cases").values()) == 1)
            wait_until(lambda: sum(world.committed("lab", "ward.cases").values()) == 1)
        (letter,) = world.events("bus.deadletters")
        assert (letter.data["group"], letter.data["reason"]) == ("lab", "headers")

    @staticmethod
    def again(world: World, group: str) -> None:
        letter = next(event for event in world.events("bus.deadletters") if event.data["group"] == group)
        headers = [(header["name"], header["value"]) for header in letter.data["headers"]]
        headers = stamp(headers, group, letter.envelope.id, 1, letter.data["timestamp"])
        world.put(letter.data["topic"], letter.data["value"], letter.data["key"], headers, letter.data["partition"])


class Life:
    def test_stop_finishes_the_event_in_hand_and_commits_it(self, world: World) -> None:
        ward, lab = world.connect("ward"), world.connect("lab")
        begun, go_on = threading.Event(), threading.Event()
        seen: list[str] = []

        @lab.subscribe(CASE)
        def slow(event: Event, context: Context) -> None:
            begun.set()
            assert go_on.wait(30)
            seen.append(event.data["case"])

        for case in ("c1", "c2"):
            report(ward, case, subject="k")
        with running(lab):
            assert begun.wait(30)
            lab.stop()
            go_on.set()
        assert seen == ["c1"]
        assert sum(world.committed("lab", "ward.cases").values()) == 1

    def test_sigterm_stops_a_running_bus_gracefully(self, world: World) -> None:
        ward, lab = world.connect("ward"), world.connect("lab")
        seen: list[str] = []

        @lab.subscribe(CASE)
        async def slow(event: Event, context: Context) -> None:
            seen.append(event.data["case"])
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0)

        report(ward, "c1")
        lab.run()
        assert seen == ["c1"]
        assert sum(world.committed("lab", "ward.cases").values()) == 1

    def test_health_tells_counts_and_lag(self, world: World) -> None:
        ward, lab = world.connect("ward"), world.connect("lab")
        seen: list[Event] = []
        collect(lab, seen)
        assert lab.health().ok
        report(ward, "c1")
        with running(lab):
            wait_until(lambda: seen and lab.health().positions)
            assert lab.health().ok
            assert lab.health().running
        assert lab.health().counts["handled"] == 1
        assert not lab.health().running

    def test_two_handlers_of_one_name_are_refused(self, world: World) -> None:
        lab = world.connect("lab")
        collect(lab, [])
        with pytest.raises(CatalogueError, match="are named append"):
            collect(lab, [])


class Together:
    """Several departments in one process."""

    def test_each_gets_what_it_was_granted_and_no_other_sees_what_it_does_to_it(self, world: World) -> None:
        ward, lab, roads = self.connect(world, "ward", "lab", "roads")
        seen: dict[str, Any] = {}

        @lab.subscribe(CASE)
        def change(event: Event) -> None:
            seen["lab"] = dict(event.data)
            event.data["case"] = "changed"

        @roads.subscribe(CASE)
        async def keep(event: Event) -> None:
            seen["roads"] = event.data

        report(ward, "c1")
        with together(lab, roads):
            wait_until(lambda: len(seen) == 2)
        assert seen["lab"]["case"] == "c1"
        assert seen["roads"] == {"case": "c1", "patient": None}
        assert sum(world.committed("host", "ward.cases").values()) == 1
        assert (lab.health().counts["handled"], roads.health().counts["handled"]) == (1, 1)

    def test_one_that_fails_has_its_own_dead_letter_and_the_others_have_the_event(self, world: World) -> None:
        ward, lab, roads = self.connect(world, "ward", "lab", "roads")
        seen: list[Event] = []
        collect(roads, seen)

        @lab.subscribe(CASE)
        def fail(event: Event, context: Context) -> None:
            context.publish(OPENED, {"case": "never"}, subject="i1")
            raise ValueError("trouble")

        report(ward, "c1")
        with together(lab, roads):
            wait_until(lambda: seen and world.records("bus.deadletters"))
        (letter,) = world.events("bus.deadletters")
        assert (letter.data["group"], letter.envelope.source) == ("lab", "/departments/lab")
        assert world.records("lab.investigations") == []
        assert "dead_letters" not in roads.health().counts

    def test_what_one_publishes_is_its_own(self, world: World) -> None:
        ward, lab, roads = self.connect(world, "ward", "lab", "roads")

        @lab.subscribe(CASE)
        def investigate(event: Event, context: Context) -> None:
            context.publish(OPENED, {"case": event.data["case"]}, subject="i1")

        @roads.subscribe(CASE)
        def overstep(event: Event, context: Context) -> None:
            context.publish(OPENED, {"case": event.data["case"]}, subject="i1")

        report(ward, "c1")
        with together(lab, roads):
            wait_until(lambda: world.records("lab.investigations") and world.records("bus.deadletters"))
        (opened,) = world.events("lab.investigations")
        assert opened.envelope.source == "/departments/lab"
        (letter,) = world.events("bus.deadletters")
        assert (letter.data["group"], "NotOwner" in letter.data["message"]) == ("roads", True)

    def test_a_type_on_a_topic_that_one_was_not_granted_is_not_for_it(self, world: World) -> None:
        ward, lab, roads = self.connect(world, "ward", "lab", "roads")
        notes: list[Event] = []
        cases: list[Event] = []
        collect(lab, notes, "lab.NoteWritten")
        collect(roads, cases)
        envelope = Envelope(
            id=random_id(), type=CASE, source="/departments/lab", time_ms=1, subject="k", mode="exercise"
        )
        world.put("lab.notes", world.codec.encode(CASE, {"case": "smuggled"}), b"k", to_headers(envelope))
        lab.publish("lab.NoteWritten", {"text": "n"}, subject="k").require()
        report(ward, "c1")
        with together(lab, roads):
            wait_until(lambda: notes and cases)
        assert [event.data["case"] for event in cases] == ["c1"]

    def test_a_grant_of_one_that_lapses_ends_the_run(self, world: World) -> None:
        now = [0]
        ward, lab, roads = self.connect(world, "ward", "lab", "roads", clock=lambda: now[0])
        seen: list[Event] = []
        collect(lab, seen)
        collect(roads, [])
        report(ward, "c1")

        def lapse_while_running() -> None:
            with together(lab, roads):
                wait_until(lambda: seen)
                now[0] = 2_000_000_000_000
                report(ward, "c2")
                wait_until(lambda: roads.has_ended)

        with pytest.raises(NotGranted, match="roads cannot read"):
            lapse_while_running()
        assert len(seen) == 1

    def test_they_share_one_sender(self, world: World) -> None:
        with (
            pytest.raises(ValueError, match="share one sender"),
            together(world.connect("lab"), world.connect("roads")),
        ):
            pass

    @staticmethod
    def connect(world: World, *owners: str, **options: Any) -> list[Bus]:
        """Buses that share the first one's sender."""
        first = world.connect(owners[0], **options)
        return [first, *(world.connect(owner, sender=first._sender, **options) for owner in owners[1:])]


class BusContract(Publishing, Subscribing, Effects, DeadLettering, Redriven, Life, Together):
    """All of it."""
