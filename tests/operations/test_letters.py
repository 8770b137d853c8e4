"""Dead letters as an operator works them off: ``deptbus deadletters`` on a broker."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from deptbus.deadletters import DeadLetters
from deptbus.envelope import Envelope, from_headers, to_headers
from deptbus.errors import ActRefused, TransactionFenced
from deptbus.ids import random_id
from deptbus.operations import letterbox
from deptbus.operations.letterbox import Doing, LetterBox
from deptbus.operations.letters import Letter, Letters
from deptbus.record import Event, Record
from deptbus.redriven import FOR
from deptbus.testing import running, wait_until
from tests.bus.conftest import catalogue, kafka_world, quick, root  # noqa: F401  # fixtures
from tests.bus.contract import collect, report
from tests.bus.worlds import KafkaWorld
from tests.operations.letters import (
    CASE,
    REASON,
    Command,
    Lab,
    Result,
    acts,
    command,
    environment,
    give_up,
    letters,
    on_record,
)

pytestmark = pytest.mark.kafka


@pytest.fixture
def world(kafka_world: KafkaWorld) -> KafkaWorld:  # noqa: F811
    return kafka_world


@pytest.fixture
def run(world: KafkaWorld, root: Path) -> Command:  # noqa: F811
    return command(environment(world, root))


@pytest.fixture
def lab(world: KafkaWorld) -> Iterator[Lab]:
    """Lab's service, running."""
    lab = Lab(world.connect("lab"))
    with running(lab.bus):
        yield lab


class TestSeen:
    def test_letters_are_listed_by_reason_and_shown_with_what_can_be_read(
        self, run: Command, world: KafkaWorld, lab: Lab
    ) -> None:
        case = report(world.connect("ward"), "c1", subject="440100", region="440100")
        whole = world.codec.encode(CASE, {"case": "c2", "patient": {"name": "张三", "age": 4}})
        self.put(world, whole[:-2])
        wait_until(lambda: len(letters(world)) == 2)
        listed = run("list").out
        assert [word in listed for word in ("handler", "undecodable", "lab", CASE, "1 open")] == [True] * 5
        listed = run("list", "--why", "handler", "--json").json
        assert [(heap["reason"], heap["letters"], heap["states"]["open"]) for heap in listed] == [("handler", 1, 1)]
        assert len(run("list", "--all", "--topic", "ward.cases").out.splitlines()) == 2
        assert run("list", "--all", "--topic", "lab.notes").out == ""
        assert "没有此类死信" in run("list", "--group", "roads", BUS_LANG="zh").err
        found = {one["reason"]: one for one in run("list", "--all", "--json").json}
        assert found["handler"]["event"] == case
        shown = run("show", found["handler"]["id"]).out
        assert "message: investigate: ValueError('no such hospital')" in shown
        assert "  ce_region: 440100" in shown
        assert '"case": "c1"' in shown
        hidden = run("show", found["undecodable"]["id"]).out
        assert '"name": "***"' in hidden
        assert "They may hold personal data" in hidden
        shown = run("show", found["undecodable"]["id"][:8], "--unmask", *REASON).out
        assert "00000000  00 00 00 00" in shown
        assert '"name": "张三"' in shown
        assert "It breaks: it takes 1 bytes and 0 are left (byte 18, patient.age)" in shown
        assert max(map(len, shown.splitlines())) <= 80
        read = run("show", found["undecodable"]["id"], "--json").json["read"]
        assert (read["schema"], read["path"]) == (CASE, "patient.age")

    def test_bytes_that_may_hold_anything_are_shown_for_a_reason_that_goes_on_record(
        self, run: Command, world: KafkaWorld, lab: Lab
    ) -> None:
        world.put("ward.cases", b"\x00secret", b"k", [])
        wait_until(lambda: letters(world))
        letter = letters(world)[0].envelope.id
        shown = run("show", letter).out
        assert "value: 7 bytes\n  They may hold personal data: --unmask --reason TEXT shows them." in shown
        assert run("show", letter, "--json").json["value"] is None
        refused = run("show", letter, "--unmask")
        assert (refused.code, "--reason is empty" in refused.err) == (2, True)
        assert on_record(world) == []
        shown = run("show", letter, "--unmask", "--reason", "asked by ward", "--operator", "Li Wei").out
        assert "|.secret|" in shown
        assert on_record(world)[-1] == ("deadletters.unmask", "done", "Li Wei", "asked by ward")

    @staticmethod
    def put(world: KafkaWorld, value: bytes, event_type: str = CASE) -> None:
        envelope = Envelope(
            id=random_id(), type=event_type, source="/departments/ward", time_ms=1, subject="k", mode="exercise"
        )
        world.put("ward.cases", value, b"k", to_headers(envelope))


class TestRedriven:
    def test_after_the_handler_is_mended_it_is_handled_and_no_other_group_has_it_twice(
        self, run: Command, world: KafkaWorld, lab: Lab
    ) -> None:
        counted: list[Event] = []
        statistics = world.connect("lab", group="lab.statistics")
        collect(statistics, counted)
        report(world.connect("ward"), "c1", subject="440100")
        with running(statistics):
            wait_until(lambda: letters(world) and counted)
            lab.mended = True
            tried = run("redrive", "--all", "--dry-run", *REASON)
            assert (tried.code, "1 would be redriven; 0 stay as they are." in tried.out) == (0, True)
            done = run("redrive", "--all", *REASON, "--operator", "Li Wei")
            assert (done.code, done.out) == (0, "1 are redriven; 0 stay as they are.\n")
            wait_until(lambda: lab.handled == ["c1"])
            report(world.connect("ward"), "c2", subject="440100")
            wait_until(lambda: len(counted) == 2)
        first, second = [event for event in world.events("ward.cases") if event.data["case"] == "c1"]
        assert (second.record.partition, second.record.key) == (first.record.partition, first.record.key)
        assert second.record.value == first.record.value
        assert second.record.headers[4:] == first.record.headers
        assert dict(second.record.headers)[FOR] == b"lab"
        (act,) = acts(world)
        assert (act.data["act"], act.data["count"], act.envelope.actor) == ("redriven", 1, "Li Wei")
        assert on_record(world) == [
            ("deadletters.redrive", outcome, "Li Wei", "fixed") for outcome in ("started", "done")
        ]
        (letter,) = run("list", "--all", "--json").json
        assert (letter["state"], letter["acts"][0]["reason"]) == ("redriven", "fixed")
        nothing = run("redrive", "--all", *REASON)
        assert (nothing.code, nothing.out) == (0, "0 are redriven; 0 stay as they are.\n")
        refused = run("redrive", letter["id"], *REASON)
        assert refused.code == 1
        assert "is redriven already, by Li Wei; --again does it once more" in refused.err

    def test_a_thousand_are_handled_once_each_and_in_order_by_key(
        self, run: Command, world: KafkaWorld, lab: Lab
    ) -> None:
        give_up(world, 1_000)
        lab.mended = True
        done = run("redrive", "--why", "handler", "--group", "lab", *REASON, "--json")
        assert (done.json["redriven"], done.json["refused"]) == (1_000, [])
        wait_until(lambda: len(lab.handled) == 1_000)
        assert set(Counter(lab.handled).values()) == {1}
        order = defaultdict(list)
        for case, subject in zip(lab.handled, lab.subjects, strict=True):
            order[subject].append(int(case))
        assert all(cases == sorted(cases) for cases in order.values())
        assert len(letters(world)) == 1_000

    def test_what_comes_back_too_often_is_in_quarantine_until_it_is_forced(
        self, run: Command, world: KafkaWorld, lab: Lab
    ) -> None:
        report(world.connect("ward"), "c1", subject="k")
        wait_until(lambda: letters(world))
        for count in (2, 3):
            assert run("redrive", "--all", *REASON, BUS_REDRIVES_MAX="2").code == 0
            wait_until(lambda count=count: len(letters(world)) == count)
        assert run("redrive", "--all", *REASON, BUS_REDRIVES_MAX="2").out == "0 are redriven; 0 stay as they are.\n"
        found = run("list", "--all", "--json", BUS_REDRIVES_MAX="2").json
        assert [one["state"] for one in found] == ["redriven", "redriven", "quarantined"]
        assert [one["returned_as"] for one in found] == [found[1]["id"], found[2]["id"], None]
        last = found[2]
        assert last["sent_again"] == 2
        refused = run("redrive", last["id"], *REASON, BUS_REDRIVES_MAX="2")
        assert refused.code == 1
        assert "sent again 2 times and came back: it is in quarantine" in refused.err
        lab.mended = True
        assert run("redrive", last["id"], "--force", *REASON, BUS_REDRIVES_MAX="2").code == 0
        wait_until(lambda: lab.handled == ["c1"])
        assert acts(world)[-1].data["forced"] is True

    def test_whoever_begins_meanwhile_goes_on_and_the_first_one_stops(
        self,
        run: Command,
        world: KafkaWorld,
        root: Path,  # noqa: F811
        lab: Lab,
    ) -> None:
        give_up(world, 150)
        lab.mended = True
        second: list[Result] = []

        def meanwhile(done: int, of: int) -> None:
            if done and not second:
                second.append(run("redrive", "--all", *REASON))

        def choose(letters: Letters) -> list[Letter]:
            return [letter for letter in letters.by_id.values() if not letter.settled]

        settings = world.settings.model_copy(update={"root": root})
        with LetterBox(settings) as box, pytest.raises(ActRefused, match="Somebody else has begun to act on dead"):
            box.redrive(choose, Doing("Li Wei", "mended", "r1"), progress=meanwhile)
        assert second[0].out == "50 are redriven; 0 stay as they are.\n"
        wait_until(lambda: len(lab.handled) == 150)
        assert len({act.data["letter"] for act in acts(world)}) == len(acts(world)) == 150
        assert set(Counter(lab.handled).values()) == {1}

    def test_the_first_one_stops_also_where_it_learns_amid_a_transaction_that_another_began(
        self,
        world: KafkaWorld,
        root: Path,  # noqa: F811
        lab: Lab,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        give_up(world, 3)
        settings = world.settings.model_copy(update={"root": root})

        def another_begins(point: str) -> None:
            monkeypatch.setattr(letterbox, "hit", lambda point: None)
            with LetterBox(settings) as other:
                other.begin()
            wait_until(lambda: cannot_send(box))

        def cannot_send(box: LetterBox) -> bool:
            assert box._producer is not None
            try:
                box._producer.send(world.settings.world.physical("ward.cases"), 0, b"k", b"v")
            except TransactionFenced:
                return True
            return False

        monkeypatch.setattr(letterbox, "hit", another_begins)
        with LetterBox(settings) as box, pytest.raises(ActRefused, match="Somebody else has begun to act on dead"):
            box.redrive(lambda letters: list(letters.by_id.values()), Doing("Li Wei", "mended", "r1"))
        assert not acts(world)

    def test_only_as_many_in_a_second_as_was_said(self, run: Command, world: KafkaWorld, lab: Lab) -> None:
        give_up(world, 12)
        lab.mended = True
        assert run("redrive", "--all", "--rate", "4", *REASON).code == 0
        wait_until(lambda: len(lab.handled) == 12)
        times = sorted(act.record.timestamp_ms for act in acts(world))
        assert times[-1] - times[0] >= 1_900

    def test_a_letter_of_which_only_the_head_was_kept_is_refused_and_the_others_go(
        self, run: Command, world: KafkaWorld, lab: Lab
    ) -> None:
        huge = Record("ward.cases", 0, 7, 1, b"k", b"v" * 6_000_000, [("ce_type", CASE.encode())])
        box = DeadLetters(lab.bus._publisher, "lab", world.codec.value_bytes_max("bus.DeadLettered"))
        box.send(huge, "too_large", "m", 0).result().require()
        report(world.connect("ward"), "c1", subject="k")
        wait_until(lambda: len(letters(world)) == 2)
        lab.mended = True
        done = run("redrive", "--all", *REASON)
        assert (done.code, done.out) == (3, "1 are redriven; 1 stay as they are.\n")
        assert (
            "only the head of its record was kept. The record is ward.cases[0]@7 while that topic keeps it" in done.err
        )


class TestEdited:
    def test_a_value_is_put_right_and_handled_as_a_new_event_caused_by_the_letter(
        self, run: Command, world: KafkaWorld, lab: Lab, tmp_path: Path
    ) -> None:
        lab.mended = True
        TestSeen.put(world, world.codec.encode(CASE, {"case": "c1", "count": 4})[:-2])
        wait_until(lambda: letters(world))
        (letter,) = letters(world)
        mended = tmp_path / "mended.json"
        mended.write_text(json.dumps({"case": "c1", "count": 5, "reported": "2020-01-20T16:00:00Z"}))
        shown = run("edit", letter.envelope.id, "--file", str(mended), "--dry-run", *REASON)
        assert '-  "count": 4' in shown.out
        assert '+  "count": 5' in shown.out
        assert acts(world) == []
        done = run("edit", letter.envelope.id, "--file", str(mended), *REASON, "--operator", "Li Wei")
        assert done.code == 0, done.err
        wait_until(lambda: lab.handled == ["c1"])
        event = self.sent(world)
        assert event.data["count"] == 5
        assert (event.envelope.causationid, event.envelope.actor) == (letter.envelope.id, "Li Wei")
        assert event.envelope.id != dict(letter.record.headers)["ce_id"]
        assert run("list", "--all", "--json").json[0]["state"] == "edited"
        (act,) = acts(world)
        assert (act.data["act"], act.data["event"]) == ("edited", event.envelope.id)
        assert on_record(world)[-1] == ("deadletters.edit", "done", "Li Wei", "fixed")

    def test_an_editor_opens_with_what_could_be_read(
        self, run: Command, world: KafkaWorld, lab: Lab, tmp_path: Path
    ) -> None:
        lab.mended = True
        TestSeen.put(world, world.codec.encode(CASE, {"case": "c1"}) + b"more")
        wait_until(lambda: letters(world))
        editor = tmp_path / "editor"
        editor.write_text('#!/bin/sh\nsed -i "s/c1/c2/" "$1"\n')
        editor.chmod(0o755)
        assert run("edit", letters(world)[0].envelope.id, *REASON, EDITOR=str(editor)).code == 0
        wait_until(lambda: lab.handled == ["c2"])

    @staticmethod
    def sent(world: KafkaWorld) -> Event:
        """The event that was sent in the place of the first."""
        record = world.records("ward.cases")[-1]
        return Event(from_headers(record.headers), world.codec.decode(record.value), record)


class TestDiscarded:
    def test_nothing_more_is_done_about_it_and_the_reason_stays(
        self, run: Command, world: KafkaWorld, lab: Lab
    ) -> None:
        give_up(world, 3)
        one = letters(world)[0].envelope.id
        done = run("discard", one, "--reason", "a test of the vendor", "--operator", "Li Wei")
        assert (done.code, done.out) == (0, "1 are discarded; 0 stay as they are.\n")
        found = {letter["id"]: letter for letter in run("list", "--all", "--json").json}
        assert found[one]["state"] == "discarded"
        assert found[one]["acts"][0]["reason"] == "a test of the vendor"
        assert on_record(world)[-1] == ("deadletters.discard", "done", "Li Wei", "a test of the vendor")
        again = run("discard", one, *REASON)
        assert (again.code, "is discarded already, by Li Wei" in again.err) == (1, True)
        lab.mended = True
        assert run("redrive", "--all", *REASON, "--json").json["redriven"] == 2
        assert run("list", "--state", "discarded", "--json").json[0]["letters"] == 1


def test_wrong_input_is_one_sentence(run: Command, world: KafkaWorld, lab: Lab, tmp_path: Path) -> None:
    report(world.connect("ward"), "c1", subject="k")
    world.put("ward.cases", b"x", b"k", [("ce_type", CASE.encode())])
    wait_until(lambda: len(letters(world)) == 2)
    handler, broken = (
        one.envelope.id for one in sorted(letters(world), key=lambda one: one.data["reason"] != "handler")
    )
    text, fits_not, same = tmp_path / "text", tmp_path / "fits_not", tmp_path / "same"
    text.write_text("no json")
    fits_not.write_text('{"case": 5}')
    same.write_text(json.dumps(run("show", handler, "--json").json["read"]["data"]))
    for arguments, sentence in [
        (("redrive", *REASON), "Say which dead letters: by their ids, by filters"),
        (("redrive", handler, "--all", *REASON), "by their ids, or by filters, not both"),
        (("redrive", "--all", "--reason", " "), "--reason is empty: say why"),
        (("redrive", "abc", *REASON), "abc is too short: name a letter by at least 6 characters"),
        (("show", "abcdef00"), "There is no dead letter abcdef00"),
        (("list", "--state", "lost"), "--state is open, quarantined, redriven, edited or discarded, not lost"),
        (("list", "--since", "yesterday"), "--since is a time with a zone"),
        (("edit", handler, "--file", "/no/such", *REASON), "--file /no/such cannot be read"),
        (("edit", handler, "--file", str(text), *REASON), "is no JSON"),
        (("edit", handler, "--file", str(fits_not), *REASON), f"the data do not fit {CASE} v1"),
        (("edit", handler, "--file", str(same), *REASON), "Nothing was changed"),
        (("edit", broken, "--file", str(same), *REASON), "and only values can be edited"),
    ]:
        result = run(*arguments)
        assert result.code == 2, arguments
        assert sentence in " ".join(result.err.split()), arguments
        assert result.err.count("error:") == 1
    assert run("list", BUS_BOOTSTRAP_SERVERS="127.0.0.1:1").code == 2
    assert acts(world) == []
