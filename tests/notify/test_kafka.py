"""``deptbus notify`` as a process on a real broker, with receivers on this machine."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from deptbus.settings import Settings
from tests.broker import ROOT, SharedStack
from tests.notify.receiving import Answer, Receiver, receiving
from tests.streams.world import World, environment
from tests.waiting import wait_until
from tests.workflow.world import sample

pytestmark = pytest.mark.kafka

REQUESTED = "workflow.TaskRequested"
LIMIT_S = 90


class Notifying:
    """A world in which health has channels of the test's own."""

    def __init__(self, settings: Settings, base: dict[str, str], folder: Path) -> None:
        self.root, self.folder, self.namespace = folder / "root", folder, settings.namespace
        self.world = World(settings)
        own = self.root / "services" / "health"
        own.mkdir(parents=True)
        for name in ("schemas", "topics"):
            (self.root / name).symlink_to(ROOT / name)
        for path in (ROOT / "services").iterdir():
            if path.name != "health":
                (self.root / "services" / path.name).symlink_to(path)
        (own / "department.yaml").symlink_to(ROOT / "services" / "health" / "department.yaml")
        self.environment = environment(settings, base, folder) | {
            "BUS_ROOT": str(self.root), "BUS_NOTIFY_BACKOFF_S": "0.05", "BUS_NOTIFY_BACKOFF_MAX_S": "0.2",
            "BUS_NOTIFY_ATTEMPTS_MAX": "3",
        }  # fmt: skip
        self._running: list[subprocess.Popen[bytes]] = []

    def channels(self, *parts: dict[str, Any], named: bool = True) -> None:
        """Write the notifications.yaml of health; by default channels may speak here."""
        common = {"what": ["task_requested"]} | ({"in_exercises": [self.namespace]} if named else {})
        file = self.root / "services" / "health" / "notifications.yaml"
        file.write_text(yaml.safe_dump({"channels": [common | part for part in parts]}))

    def hook(self, receiver: Receiver, name: str = "duty") -> dict[str, Any]:
        return {"name": name, "kind": "webhook", "url": receiver.url}

    def publish(self, *ids: int, event_type: str = REQUESTED, **about: Any) -> list[str]:
        """Ask health for tasks of one instance; what their notifications are to be called."""
        publisher = self.world.publisher("workflow")
        for number in ids:
            data = sample(
                event_type, instance="epidemic/440100/1", department="health", attempt=1, title_en=str(number)
            )
            ready = publisher.prepare(
                event_type, data, subject="epidemic/440100/1", id=_id(number), correlation_id="epidemic/440100/1",
                **about,
            )  # fmt: skip
            publisher.send(ready)
        self.world.sender.flush()
        return [f"{self.namespace}/{_id(number)}" for number in ids]

    def once(self, *arguments: str, command: str = "run", **environment: str) -> str:
        """Run up to the present end; what was said."""
        how = ["--department", "health", "--from", "beginning", "--once"] if command == "run" else []
        done = subprocess.run(
            [sys.executable, "-m", "deptbus", "notify", command, *how, *arguments],
            env=self.environment | environment, capture_output=True, text=True, timeout=LIMIT_S, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stderr

    def start(self, **environment: str) -> subprocess.Popen[bytes]:
        """Run on and on."""
        with (self.folder / "notify.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "deptbus", "notify", "run", "--department", "health", "--from", "beginning"],
                env=self.environment | environment, stdout=log, stderr=log,
            )  # fmt: skip
        self._running.append(process)
        return process

    def letters(self) -> list[dict[str, Any]]:
        return [data for _, _, data in self.world.read("bus.deadletters")]

    def lines(self, name: str) -> list[str]:
        """The ids in a file channel's file."""
        path = Path(self.environment["BUS_RUN_DIR"]) / "notifications" / self.namespace / name
        return [orjson.loads(line)["id"] for line in path.read_bytes().splitlines()] if path.exists() else []

    def end(self) -> None:
        for process in self._running:
            if process.poll() is None:
                process.kill()
                process.wait(10)
        self.world.close()


def _id(number: int) -> str:
    return f"6d0e1c80-0000-5000-8000-{number:012}"


@pytest.fixture
def notifying(stack: SharedStack, settings: Settings, tmp_path: Path) -> Iterator[Notifying]:
    made = Notifying(settings, stack.environment(), tmp_path)
    yield made
    made.end()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def test_what_fails_for_a_moment_is_tried_again_in_order_under_the_same_id(
    notifying: Notifying, receiver: Receiver
) -> None:
    notifying.channels(notifying.hook(receiver))
    ids = notifying.publish(1, 2, 3)
    receiver.answers = [Answer(503), Answer(503), Answer(), Answer(429, {"retry-after": "1"})]
    notifying.once()
    assert receiver.ids == [ids[0]] * 3 + [ids[1]] * 2 + [ids[2]]
    assert receiver.calls[4].at - receiver.calls[3].at >= 1
    assert notifying.letters() == []
    notifying.once()
    assert len(receiver.calls) == 6


def test_what_is_refused_or_keeps_failing_is_kept_whole_and_the_channel_goes_on(
    notifying: Notifying, receiver: Receiver
) -> None:
    notifying.channels(notifying.hook(receiver))
    ids = notifying.publish(1, 2, 3)
    receiver.answers = [Answer(400, {}, b"no such duty"), Answer(500), Answer(500), Answer(500)]
    notifying.once()
    assert receiver.ids == [ids[0]] + [ids[1]] * 3 + [ids[2]]
    refused, failed = notifying.letters()
    assert (refused["reason"], refused["attempts"]) == ("notify_refused", 1)
    assert refused["message"] == "health/duty: HTTP 400: no such duty"
    assert (failed["reason"], failed["attempts"]) == ("notify_failed", 3)
    original = {record.offset: record.value for record, _, _ in notifying.world.read("workflow.tasks")}
    assert refused["value"] == original[refused["offset"]]
    notifying.once("health/duty", command="again")
    assert receiver.ids[5:] == ids[:2]
    notifying.once("health/duty", command="again")
    assert len(receiver.calls) == 7


def test_while_a_receiver_is_down_its_channel_waits_and_no_other(notifying: Notifying, receiver: Receiver) -> None:
    with receiving() as gone:
        down = notifying.hook(gone, "down")
    notifying.channels(down, notifying.hook(receiver), {"name": "log", "kind": "file", "path": "log.jsonl"})
    process = notifying.start()
    ids = notifying.publish(*range(20))
    wait_until(lambda: receiver.ids == ids and notifying.lines("log.jsonl") == ids, "the other channels", LIMIT_S)
    with receiving(gone.port) as back:
        wait_until(lambda: len(back.calls) == 20, "the receiver that is back", LIMIT_S)
        assert back.ids == ids
    assert notifying.letters() == []
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def test_a_crash_between_delivery_and_commit_delivers_again_under_the_same_id(
    notifying: Notifying, receiver: Receiver
) -> None:
    notifying.channels(notifying.hook(receiver))
    ids = notifying.publish(1, 2, 3)
    process = notifying.start(BUS_FAILPOINT="after-delivery:2")
    assert process.wait(LIMIT_S) == -signal.SIGKILL
    assert receiver.ids == ids[:2]
    notifying.once()
    assert receiver.ids == [ids[0], ids[1], ids[1], ids[2]]


def test_an_exercise_and_a_replay_are_silent_unless_they_are_named(notifying: Notifying, receiver: Receiver) -> None:
    notifying.channels(notifying.hook(receiver), named=False)
    ids = notifying.publish(1)
    assert f"no channel is meant for the namespace {notifying.namespace}" in notifying.once()
    assert receiver.calls == []
    notifying.channels(notifying.hook(receiver))
    replayed = [(name, value) for name, value in _headers(notifying, 0)] + [("ce_replayid", b"audit-7")]
    record = next(record for record, _, _ in notifying.world.read("workflow.tasks"))
    assert record.value is not None
    notifying.world.send_raw("workflow.tasks", record.value, replayed)
    notifying.publish(2, mode="test")
    notifying.once()
    assert receiver.ids == ids
    assert receiver.calls[0].content["title"]["zh"].startswith("【演练】")


def _headers(notifying: Notifying, index: int) -> list[tuple[str, bytes]]:
    return list(notifying.world.read("workflow.tasks")[index][0].headers)


def test_a_new_channel_begins_with_what_comes_after_its_first_start(notifying: Notifying, receiver: Receiver) -> None:
    notifying.channels(notifying.hook(receiver))
    notifying.publish(1)
    notifying.once("--from", "now")
    assert receiver.calls == []
    ids = notifying.publish(2)
    notifying.once("--from", "now")
    assert receiver.ids == ids


def test_what_cannot_be_read_is_kept_and_what_follows_is_told(notifying: Notifying, receiver: Receiver) -> None:
    notifying.channels(notifying.hook(receiver))
    notifying.publish(1)
    whole, headers = notifying.world.read("workflow.tasks")[0][0].value, _headers(notifying, 0)
    assert whole is not None
    notifying.world.send_raw("workflow.tasks", whole[:-4], headers)
    ids = notifying.publish(2)
    notifying.once()
    assert receiver.ids[-1:] == ids
    assert [(letter["reason"], letter["group"]) for letter in notifying.letters()] == [
        ("undecodable", "notify.health.duty")
    ]


def test_the_commands_try_a_channel_and_verify_what_it_got(notifying: Notifying, receiver: Receiver) -> None:
    notifying.channels(notifying.hook(receiver), named=False)
    notifying.once("health/duty", command="test")
    (got,) = receiver.calls
    assert got.content["what"] == "test"
    head = "".join(f"{name}: {value}\r\n" for name, value in got.headers.items()).encode()

    def verify(body: bytes) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            [sys.executable, "-m", "deptbus", "notify", "verify", "health/duty"],
            env=notifying.environment, input=head + b"\r\n" + body, capture_output=True, timeout=LIMIT_S, check=False,
        )  # fmt: skip

    assert (verify(got.body).returncode, verify(got.body).stdout) == (0, b"The message is genuine.\n")
    assert verify(got.body + b" ").returncode == 1
