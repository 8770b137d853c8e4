"""What every transport of the bus must do. ``test_memory.py`` and ``test_kafka.py`` run these on theirs."""

import random
import string
import threading
from typing import Any

import pytest

from deptbus.bus import Bus
from deptbus.envelope import Envelope, to_headers
from deptbus.errors import CatalogueError, CodecError, NotGranted, NotOwner, PublishUnknown, Retry
from deptbus.handlers import Context
from deptbus.ids import random_id
from deptbus.partitioning import partition_of
from deptbus.record import Event
from deptbus.testing import run_until, running, wait_until

from tests.bus.worlds import World

CASE = "health.CaseReported"
OPENED = "cdc.InvestigationOpened"


def report(bus: Bus, case: str, **envelope: Any) -> str:
    """Publish one case as health; its event id."""
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
        health = world.connect("health")
        outcome = health.publish(CASE, {"case": "c1", "reported": 5}, subject="c1", region="440100", actor="Li Wei")
        assert outcome.acknowledged
        assert outcome.timestamp_ms > 0
        (event,) = world.events("health.cases")
        assert (event.record.partition, event.record.offset) == (outcome.partition, outcome.offset)
        assert event.record.timestamp_ms == outcome.timestamp_ms
        assert event.data == {"case": "c1", "count": 1, "reported": 5, "patient": None, "note": None}
        envelope = event.envelope
        assert (envelope.id, envelope.type, envelope.source) == (outcome.event_id, CASE, "/departments/health")
        assert (envelope.region, envelope.actor, envelope.mode) == ("440100", "Li Wei", "exercise")
        assert envelope.classification == "sensitive"
        assert envelope.traceparent is not None

    def test_many_events_are_each_answered_by_one_flush(self, world: World) -> None:
        health = world.connect("health")
        pending = [health.publish_soon(CASE, {"case": str(n)}, subject=str(n)) for n in range(1000)]
        health.flush()
        outcomes = [one.outcome for one in pending]
        assert all(outcome is not None and outcome.acknowledged for outcome in outcomes)
        assert len({(o.partition, o.offset) for o in outcomes if o}) == 1000

    def test_keys_lie_where_java_clients_put_them(self, world: World) -> None:
        health = world.connect("health")
        for number in range(50):
            outcome = health.publish(CASE, {"case": "x"}, subject=f"病例-{number}")
            assert outcome.partition == partition_of(f"病例-{number}".encode(), 4)

    def test_a_foreign_topic_is_refused_in_words(self, world: World) -> None:
        with pytest.raises(NotOwner, match=r"cdc cannot publish health.CaseReported: its topic health.cases belongs"):
            world.connect("cdc").publish(CASE, {"case": "c"}, subject="c")

    def test_every_department_may_append_to_the_audit(self, world: World) -> None:
        outcome = world.connect("transport").publish("bus.ActAudited", {"act": "x", "detail": {}}, subject="x")
        assert outcome.acknowledged

    def test_data_that_do_not_fit_are_refused_before_anything_is_sent(self, world: World) -> None:
        health = world.connect("health")
        with pytest.raises(CodecError, match="do not fit"):
            health.publish(CASE, {"case": 5}, subject="c")
        with pytest.raises(CatalogueError, match="No topic carries"):
            health.publish("health.Nothing", {}, subject="c")
        assert world.records("health.cases") == []

    def test_what_the_topic_refuses_is_failed(self, world: World) -> None:
        outcome = world.connect("cdc").publish("cdc.NoteWritten", {"text": noise(50_000)}, subject="n")
        assert outcome.state == "failed"
        assert world.records("cdc.notes") == []


class Subscribing:
    def test_def_and_async_def_handlers_get_the_events_they_name(self, world: World) -> None:
        health, cdc = world.connect("health"), world.connect("cdc")
        called: list[tuple[str, str]] = []

        @cdc.subscribe(CASE)
        def plain(event: Event, context: Context) -> None:
            called.append(("plain", event.data["case"]))

        @cdc.subscribe(CASE)
        async def waiting(event: Event, context: Context) -> None:
            called.append(("async", event.data["case"]))

        report(health, "c1")
        health.publish("health.CaseDiscarded", {"case": "c1"}, subject="c1").require()
        report(health, "c2", subject="c1")
        run_until(cdc, lambda: len(called) == 4)
        assert called == [("plain", "c1"), ("async", "c1"), ("plain", "c2"), ("async", "c2")]

    def test_a_header_filter_leaves_out_what_does_not_concern_a_handler(self, world: World) -> None:
        health, cdc = world.connect("health"), world.connect("cdc")
        seen: list[Event] = []
        collect(cdc, seen, where=lambda envelope: envelope.region == "440300")
        report(health, "c1", region="440100")
        report(health, "c2", region="440300")
        run_until(cdc, lambda: seen)
        assert [event.data["case"] for event in seen] == ["c2"]

    def test_events_of_one_key_arrive_in_order(self, world: World) -> None:
        health, cdc = world.connect("health"), world.connect("cdc")
        seen: list[Event] = []
        collect(cdc, seen)
        for number in range(400):
            health.publish_soon(CASE, {"case": str(number)}, subject=f"k{number % 7}")
        health.flush()
        run_until(cdc, lambda: len(seen) == 400)
        for key in range(7):
            numbers = [int(e.data["case"]) for e in seen if e.envelope.subject == f"k{key}"]
            assert numbers == list(range(key, 400, 7))

    def test_without_a_grant_reading_is_refused_in_words(self, world: World) -> None:
        with pytest.raises(NotGranted, match=r"health cannot read cdc.notes.*cdc can grant it.*topics/cdc.yaml"):
            collect(world.connect("health"), [], "cdc.NoteWritten")

    def test_a_grant_leaves_only_the_fields_it_names(self, world: World) -> None:
        health, transport = world.connect("health"), world.connect("transport", clock=lambda: 0)
        seen: list[Event] = []
        collect(transport, seen)
        patient = {"name": "张三", "age": 40}
        health.publish(CASE, {"case": "c1", "patient": patient}, subject="c1").require()
        run_until(transport, lambda: seen)
        assert seen[0].data == {"case": "c1", "patient": {"age": 40}}

    def test_a_grant_that_lapses_ends_the_run(self, world: World) -> None:
        now = [0]
        health, transport = world.connect("health"), world.connect("transport", clock=lambda: now[0])
        seen: list[Event] = []
        collect(transport, seen)
        report(health, "c1")
        with pytest.raises(NotGranted), running(transport):
            wait_until(lambda: seen)
            now[0] = 2_000_000_000_000
            report(health, "c2")
            wait_until(lambda: transport.has_ended)
        assert len(seen) == 1

    def test_a_stopped_bus_has_committed_and_the_next_goes_on_behind(self, world: World) -> None:
        health = world.connect("health")
        first: list[Event] = []
        second: list[Event] = []
        bus = world.connect("cdc")
        collect(bus, first)
        report(health, "c1")
        run_until(bus, lambda: first)
        report(health, "c2")
        bus = world.connect("cdc")
        collect(bus, second)
        run_until(bus, lambda: second)
        assert [event.data["case"] for event in second] == ["c2"]
        assert sum(world.committed("cdc", "health.cases").values()) == 2

    def test_two_members_of_a_group_share_the_work(self, world: World) -> None:
        health = world.connect("health")
        seen: list[Event] = []
        buses = [world.connect("cdc") for _ in range(2)]
        for bus in buses:
            collect(bus, seen)
        with running(buses[0]), running(buses[1]):
            for number in range(200):
                health.publish_soon(CASE, {"case": str(number)}, subject=str(number))
            health.flush()
            wait_until(lambda: len({event.envelope.id for event in seen}) == 200)
            wait_until(lambda: sum(world.committed("cdc", "health.cases").values()) == 200)

    def test_groups_of_one_department_each_get_every_event(self, world: World) -> None:
        health = world.connect("health")
        report(health, "c1")
        for group in ("cdc", "cdc.statistics"):
            seen: list[Event] = []
            bus = world.connect("cdc", group=group)
            collect(bus, seen)
            run_until(bus, lambda seen=seen: seen)


class Effects:
    def test_what_a_handler_publishes_names_its_cause(self, world: World) -> None:
        health, cdc = world.connect("health"), world.connect("cdc")

        @cdc.subscribe(CASE)
        async def investigate(event: Event, context: Context) -> None:
            context.publish(OPENED, {"case": event.data["case"]}, subject="i1", legal_basis="Law art. 1")

        cause = report(health, "c1", correlation_id="epidemic/440100/1")
        run_until(cdc, lambda: world.records("cdc.investigations"))
        (event,) = world.events("cdc.investigations")
        (reported,) = world.events("health.cases")
        assert event.envelope.causationid == cause
        assert event.envelope.correlationid == "epidemic/440100/1"
        assert event.envelope.mode == "exercise"
        assert event.envelope.legalbasis == "Law art. 1"
        assert event.envelope.traceparent.split("-")[1] == reported.envelope.traceparent.split("-")[1]
        assert event.envelope.traceparent != reported.envelope.traceparent

    def test_a_redelivered_event_publishes_the_same_ids(self, world: World) -> None:
        health = world.connect("health")
        report(health, "c1")
        for attempt in range(2):
            cdc = world.connect("cdc", group=f"cdc.{attempt}")

            @cdc.subscribe(CASE)
            def investigate(event: Event, context: Context) -> None:
                for _ in range(2):
                    context.publish(OPENED, {"case": event.data["case"]}, subject="i1")

            run_until(cdc, lambda count=2 * (attempt + 1): len(world.records("cdc.investigations")) == count)
        ids = [event.envelope.id for event in world.events("cdc.investigations")]
        assert ids[:2] == ids[2:]
        assert ids[0] != ids[1]

    def test_an_event_delivered_twice_has_its_effect_once(self, world: World) -> None:
        health, cdc = world.connect("health"), world.connect("cdc")
        seen: list[Event] = []
        collect(cdc, seen)
        for _ in range(3):
            report(health, "c1", id="0190a5c0-0000-7000-8000-000000000001")
        report(health, "c2", subject="c1")
        run_until(cdc, lambda: len(seen) == 2)
        assert [event.data["case"] for event in seen] == ["c1", "c2"]
        assert cdc.health().counts["duplicates"] == 2

    def test_a_handler_that_fails_is_called_again_and_publishes_once(self, world: World) -> None:
        health, cdc = world.connect("health"), world.connect("cdc")
        attempts: list[int] = []

        @cdc.subscribe(CASE)
        def investigate(event: Event, context: Context) -> None:
            attempts.append(context.attempt)
            context.publish(OPENED, {"case": event.data["case"]}, subject="i1")
            if len(attempts) == 1:
                raise Retry("not yet")
            if len(attempts) == 2:
                raise ValueError("trouble")

        report(health, "c1")
        run_until(cdc, lambda: world.records("cdc.investigations"))
        assert attempts == [1, 2, 3]
        assert len(world.records("cdc.investigations")) == 1
        assert world.records("bus.deadletters") == []

    def test_an_error_that_is_not_the_events_ends_the_run_and_the_event_comes_again(self, world: World) -> None:
        health, cdc = world.connect("health"), world.connect("cdc")
        first: list[str] = []

        @cdc.subscribe(CASE)
        def investigate(event: Event, context: Context) -> None:
            first.append(event.data["case"])
            if event.data["case"] == "c2":
                raise PublishUnknown("another broker is away")

        for case in ("c1", "c2", "c3"):
            report(health, case, subject="same")
        with pytest.raises(PublishUnknown):
            run_until(cdc, lambda: False)
        assert first == ["c1", "c2"]
        cdc = world.connect("cdc")
        second: list[Event] = []
        collect(cdc, second)
        run_until(cdc, lambda: len(second) == 2)
        assert [event.data["case"] for event in second] == ["c2", "c3"]


class DeadLettering:
    def test_an_event_that_no_attempt_can_handle_is_kept_whole_and_its_neighbours_flow(self, world: World) -> None:
        health, cdc = world.connect("health"), world.connect("cdc")
        seen: list[str] = []

        @cdc.subscribe(CASE)
        def investigate(event: Event, context: Context) -> None:
            if event.data["case"] == "bad":
                raise ValueError("no such hospital")
            seen.append(event.data["case"])

        for case in ("c1", "bad", "c2"):
            report(health, case, subject="same")
        run_until(cdc, lambda: len(seen) == 2)
        (letter,) = world.events("bus.deadletters")
        bad = next(e for e in world.events("health.cases") if e.data["case"] == "bad")
        data = letter.data
        assert (data["topic"], data["partition"], data["offset"]) == (
            "health.cases", bad.record.partition, bad.record.offset,
        )  # fmt: skip
        assert (data["value"], data["key"]) == (bad.record.value, bad.record.key)
        assert [(h["name"], h["value"]) for h in data["headers"]] == list(bad.record.headers)
        assert (data["reason"], data["attempts"], data["group"], data["truncated"]) == ("handler", 3, "cdc", False)
        assert "no such hospital" in data["message"]
        assert sum(world.committed("cdc", "health.cases").values()) == 3

    def test_poison_is_a_dead_letter_each_with_its_reason(self, world: World) -> None:
        health, cdc = world.connect("health"), world.connect("cdc")
        seen: list[Event] = []
        collect(cdc, seen)
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
        world.put("health.cases", good, b"k", [("ce_type", CASE.encode())])
        world.put("health.cases", good, b"k", [])
        report(health, "c1", subject="k")
        run_until(cdc, lambda: seen and len(world.records("bus.deadletters")) == 10)
        reasons = sorted(event.data["reason"] for event in world.events("bus.deadletters"))
        assert reasons == sorted([*poison, "undecodable", "framing", "headers", "headers"])
        large = next(e.data for e in world.events("bus.deadletters") if e.data["reason"] == "too_large")
        assert large["value"] == poison["too_large"]

    def test_of_a_value_that_no_letter_can_hold_the_head_is_kept(self, world: World) -> None:
        bus = world.connect("cdc")
        from deptbus.deadletters import DeadLetters
        from deptbus.record import Record

        letters = DeadLetters(bus._publisher, "cdc", world.codec.value_bytes_max("bus.DeadLettered"))
        huge = Record("health.cases", 0, 7, 1, b"k", b"v" * 6_000_000, [("a", b"b" * 100)])
        letters.send(huge, "too_large", "m", 0).result().require()
        headers = Record("health.cases", 0, 8, 1, b"k" * 3_000_000, b"v", [("a", b"b" * 6_000_000)])
        letters.send(headers, "too_large", "m", 0).result().require()
        first, second = (event.data for event in world.events("bus.deadletters"))
        assert first["truncated"]
        assert len(first["value"]) > 4_000_000
        assert second["truncated"]

    def test_an_event_of_another_mode_is_recorded_and_not_handled(self, world: World) -> None:
        health, cdc = world.connect("health"), world.connect("cdc")
        seen: list[Event] = []
        collect(cdc, seen)
        report(health, "c1", mode="actual", subject="k")
        report(health, "c2", subject="k")
        run_until(cdc, lambda: seen)
        assert [event.data["case"] for event in seen] == ["c2"]
        (letter,) = world.events("bus.deadletters")
        assert letter.data["reason"] == "foreign_mode"

    def test_an_output_that_the_broker_refuses_makes_its_cause_a_dead_letter(self, world: World) -> None:
        health, cdc = world.connect("health"), world.connect("cdc")

        @cdc.subscribe(CASE)
        def note(event: Event, context: Context) -> None:
            context.publish("cdc.NoteWritten", {"text": noise(int(event.data["case"]))}, subject="n")

        with running(cdc):
            for size, topic, count in ((10, "cdc.notes", 1), (50_000, "bus.deadletters", 1), (20, "cdc.notes", 2)):
                report(health, str(size), subject="k")
                wait_until(lambda topic=topic, count=count: len(world.records(topic)) == count)
        (letter,) = world.events("bus.deadletters")
        assert letter.data["reason"] == "publish_failed"

    def put(self, world: World, value: bytes | None) -> None:
        envelope = Envelope(
            id=random_id(), type=CASE, source="/departments/health", time_ms=1, subject="k", mode="exercise"
        )
        world.put("health.cases", value, b"k", to_headers(envelope))


class Life:
    def test_stop_finishes_the_event_in_hand_and_commits_it(self, world: World) -> None:
        health, cdc = world.connect("health"), world.connect("cdc")
        begun, go_on = threading.Event(), threading.Event()
        seen: list[str] = []

        @cdc.subscribe(CASE)
        def slow(event: Event, context: Context) -> None:
            begun.set()
            assert go_on.wait(30)
            seen.append(event.data["case"])

        for case in ("c1", "c2"):
            report(health, case, subject="k")
        with running(cdc):
            assert begun.wait(30)
            cdc.stop()
            go_on.set()
        assert seen == ["c1"]
        assert sum(world.committed("cdc", "health.cases").values()) == 1

    def test_health_tells_counts_and_lag(self, world: World) -> None:
        health, cdc = world.connect("health"), world.connect("cdc")
        seen: list[Event] = []
        collect(cdc, seen)
        assert cdc.health().ok
        report(health, "c1")
        with running(cdc):
            wait_until(lambda: seen and cdc.health().positions)
            assert cdc.health().ok
            assert cdc.health().running
        assert cdc.health().counts["handled"] == 1
        assert not cdc.health().running

    def test_two_handlers_of_one_name_are_refused(self, world: World) -> None:
        cdc = world.connect("cdc")
        collect(cdc, [])
        with pytest.raises(CatalogueError, match="are named append"):
            collect(cdc, [])


class BusContract(Publishing, Subscribing, Effects, DeadLettering, Life):
    """All of it."""
