"""Deadlines over whole years: clocks put forward and back, holidays and days worked in lieu, leap days, new years."""

from datetime import date, datetime
from itertools import pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deptbus.clock import from_iso, iso
from deptbus.errors import DefinitionError
from deptbus.workflow.calendars import chinese_years
from deptbus.workflow.correlate import tick
from deptbus.workflow.deadlines import deadline, is_working_day
from deptbus.workflow.definition import Calendar, PackContent
from deptbus.workflow.fold import compare_outputs, compare_snapshots, fold
from deptbus.workflow.pack import Pack
from tests.workflow.definitions import small, step
from tests.workflow.strategies import tried
from tests.workflow.test_partition import decode, written
from tests.workflow.world import HOUR, World, codec, sample

DAY, MINUTE = 24 * HOUR, HOUR // 60
CHINA = Calendar(calendar="cn", years=chinese_years())
YEARS = (
    ("Europe/Berlin", 2024), ("America/New_York", 2024), ("Australia/Lord_Howe", 2024), ("America/Sao_Paulo", 2018),
    ("Asia/Beirut", 2024), ("America/St_Johns", 2006), ("Asia/Kolkata", 2024),
    *(("Asia/Shanghai", year) for year in range(1986, 1992)),
)  # fmt: skip
"""With half an hour, changes at midnight, changes that go back to the day before, and no change at all."""


def calendar_of(year: int, free: frozenset[int] = frozenset()) -> Calendar:
    """A year and its neighbours in which every day is worked but those of these numbers from 1 January on."""
    return Calendar(
        calendar="own",
        years={
            one: "".join("0" if one == year and number in free else "1" for number in range(_days(one)))
            for one in (year - 1, year, year + 1)
        },
    )


def _days(year: int) -> int:
    return (date(year + 1, 1, 1) - date(year, 1, 1)).days


def changes(zone: ZoneInfo, year: int) -> list[int]:
    """The seconds by which the clock has been put forward or back, to the half hour."""
    first, last = (int(datetime(one, 1, 1, tzinfo=zone).timestamp()) for one in (year, year + 1))
    offsets = [(at, datetime.fromtimestamp(at, zone).utcoffset()) for at in range(first, last, 1_800)]
    return [at for (_, before), (at, after) in pairwise(offsets) if before != after]


ALL_CHANGES = {(zone, year): changes(ZoneInfo(zone), year) for zone, year in YEARS}


class Asked(NamedTuple):
    """Two starts, the earlier first, and how many working days each has."""

    zone: str
    earlier: int
    later: int
    count: int
    calendar: Calendar


@st.composite
def asks(draw: st.DrawFn) -> Asked:
    """Often the one or the other begins or ends about a change of the clock."""
    zone, year = draw(st.sampled_from(YEARS))
    count = draw(st.integers(0, 9))
    first = int(datetime(year, 1, 1, tzinfo=ZoneInfo(zone)).timestamp()) * 1000
    starts = st.integers(first, first + (_days(year) - 40) * DAY)
    if ALL_CHANGES[zone, year] and draw(st.integers(0, 9)):
        at = draw(st.sampled_from(ALL_CHANGES[zone, year])) * 1000 - draw(st.sampled_from((0, count))) * DAY
        starts = st.integers(-60, 60).map(lambda minutes: at + minutes * MINUTE)
    start = draw(starts)
    later = start + draw(st.integers(0, 60)) * MINUTE + draw(st.just(0) | st.integers(0, 30 * DAY))
    free = draw(st.just(frozenset()) | st.frozensets(st.integers(0, 365), max_size=60))
    return Asked(zone, start, later, count, calendar_of(year, free))


def shown(at_ms: int, zone: str) -> datetime:
    """What the clock there shows."""
    return datetime.fromtimestamp(at_ms / 1000, ZoneInfo(zone))


@tried
@given(asks())
def test_who_asks_later_is_never_due_earlier(asked: Asked) -> None:
    zone, earlier, later, count, calendar = asked
    for duration in (f"{count}wd", f"{count}d", f"{count}h"):
        assert deadline(earlier, duration, calendar, zone) <= deadline(later, duration, calendar, zone)


@tried
@given(asks())
def test_working_days_end_on_a_working_day_and_more_of_them_later(asked: Asked) -> None:
    zone, start, _, count, calendar = asked
    due = deadline(start, f"{count}wd", calendar, zone)
    assert is_working_day(shown(due, zone).date(), calendar) or count == 0
    assert start <= due < deadline(start, f"{count + 1}wd", calendar, zone)


@tried
@given(asks())
def test_working_days_end_at_the_time_of_day_of_their_start(asked: Asked) -> None:
    """But on a day that skips it, and of a start at a time that has been before."""
    zone, start, _, count, calendar = asked
    began, due = shown(start, zone), shown(deadline(start, f"{count}wd", calendar, zone), zone)
    if is_working_day(began.date(), calendar) and not began.fold:
        there = datetime.combine(due.date(), began.time(), ZoneInfo(zone))
        skipped = there.utcoffset() < there.replace(fold=1).utcoffset()  # type: ignore[operator]  # zones have offsets
        assert skipped or due.time() == began.time()


@given(st.sampled_from([zone for zone, _ in YEARS]), st.integers(0, 2**41), st.integers(0, 400))
def test_days_are_of_24_hours_whatever_the_clock_does(zone: str, start: int, count: int) -> None:
    assert deadline(start, f"{count}d", calendar_of(1970), zone) == start + count * 24 * HOUR


@pytest.mark.parametrize(
    ("zone", "start", "end"),
    [
        # Put forward: 02:30 does not exist.
        ("Europe/Berlin", "2024-03-30T02:30:00+01:00", "2024-03-31T03:00:00+02:00"),
        ("Europe/Berlin", "2024-03-30T03:10:00+01:00", "2024-03-31T03:10:00+02:00"),
        ("Europe/Berlin", "2024-03-31T01:59:59+01:00", "2024-04-01T01:59:59+02:00"),
        ("America/New_York", "2024-03-09T02:30:00-05:00", "2024-03-10T03:00:00-04:00"),
        ("Asia/Shanghai", "1986-05-03T02:30:00+08:00", "1986-05-04T03:00:00+09:00"),
        ("Asia/Shanghai", "1991-04-13T02:00:00+08:00", "1991-04-14T03:00:00+09:00"),
        ("Australia/Lord_Howe", "2024-10-05T02:15:00+10:30", "2024-10-06T02:30:00+11:00"),
        ("Asia/Beirut", "2024-03-30T00:15:00+02:00", "2024-03-31T01:00:00+03:00"),
        # Put back: 01:30 exists twice, and is meant the second time.
        ("Europe/Berlin", "2024-10-26T02:30:00+02:00", "2024-10-27T02:30:00+01:00"),
        ("America/New_York", "2024-11-02T01:30:00-04:00", "2024-11-03T01:30:00-05:00"),
        ("Asia/Shanghai", "1986-09-13T01:30:00+09:00", "1986-09-14T01:30:00+08:00"),
        ("Australia/Lord_Howe", "2024-04-06T01:45:00+11:00", "2024-04-07T01:45:00+10:30"),
        # A start in an hour that exists twice: its second run counts as its end.
        ("Europe/Berlin", "2024-10-27T02:15:00+02:00", "2024-10-28T02:15:00+01:00"),
        ("Europe/Berlin", "2024-10-27T02:15:00+01:00", "2024-10-28T03:00:00+01:00"),
        ("Europe/Berlin", "2024-10-27T03:00:00+01:00", "2024-10-28T03:00:00+01:00"),
        ("Asia/Shanghai", "1986-09-14T01:00:00+08:00", "1986-09-15T02:00:00+08:00"),
        ("Australia/Lord_Howe", "2024-04-07T01:31:00+10:30", "2024-04-08T02:00:00+10:30"),
        ("America/Sao_Paulo", "2018-02-17T23:15:00-03:00", "2018-02-18T23:59:59.999-03:00"),
    ],
)
def test_a_working_day_over_a_change_of_the_clock(zone: str, start: str, end: str) -> None:
    year = int(start[:4])
    assert iso(deadline(from_iso(start), "1wd", calendar_of(year), zone)) == iso(from_iso(end))


def test_a_day_that_begins_at_one_o_clock_begins_there() -> None:
    """Asked on a free Saturday, due when the Sunday is over, which the clock puts forward at its very beginning."""
    number = date(2018, 11, 3).timetuple().tm_yday - 1
    start = from_iso("2018-11-03T12:00:00-03:00")
    due = deadline(start, "0wd", calendar_of(2018, frozenset({number})), "America/Sao_Paulo")
    assert shown(due, "America/Sao_Paulo").isoformat() == "2018-11-04T01:00:00-02:00"


@pytest.mark.parametrize(
    ("start", "duration", "end"),
    [
        # 2020: the Spring Festival was prolonged to 2 February; 1 February was no longer worked in lieu.
        ("2020-01-19T10:00", "1wd", "2020-01-20T10:00"),
        ("2020-01-23T10:00", "1wd", "2020-02-03T10:00"),
        ("2020-01-23T10:00", "5wd", "2020-02-07T10:00"),
        ("2020-01-25T10:00", "1wd", "2020-02-04T00:00"),
        ("2020-04-03T10:00", "1wd", "2020-04-07T10:00"),  # Qingming
        ("2020-04-24T10:00", "1wd", "2020-04-26T10:00"),  # Labour Day, worked in lieu on the Sunday before
        ("2020-05-08T10:00", "1wd", "2020-05-09T10:00"),  # and on the Saturday after
        ("2020-06-24T10:00", "1wd", "2020-06-28T10:00"),  # Dragon Boat
        ("2020-09-25T10:00", "3wd", "2020-09-29T10:00"),  # a Sunday before the National Day
        ("2020-09-30T10:00", "1wd", "2020-10-09T10:00"),
        ("2020-10-09T10:00", "1wd", "2020-10-10T10:00"),
        # 2024
        ("2024-02-02T10:00", "1wd", "2024-02-04T10:00"),
        ("2024-02-09T10:00", "1wd", "2024-02-18T10:00"),
        ("2024-04-03T10:00", "1wd", "2024-04-07T10:00"),
        ("2024-04-26T10:00", "1wd", "2024-04-28T10:00"),
        ("2024-04-30T10:00", "1wd", "2024-05-06T10:00"),
        ("2024-05-10T10:00", "1wd", "2024-05-11T10:00"),
        ("2024-09-13T10:00", "1wd", "2024-09-14T10:00"),
        ("2024-09-14T10:00", "1wd", "2024-09-18T10:00"),
        ("2024-09-27T10:00", "1wd", "2024-09-29T10:00"),
        ("2024-09-30T10:00", "1wd", "2024-10-08T10:00"),
        ("2024-10-11T10:00", "1wd", "2024-10-12T10:00"),
        # Leap days: a Saturday in 2020, a Thursday in 2024.
        ("2020-02-28T10:00", "1wd", "2020-03-02T10:00"),
        ("2020-02-29T10:00", "1wd", "2020-03-03T00:00"),
        ("2024-02-28T10:00", "1wd", "2024-02-29T10:00"),
        ("2024-02-29T10:00", "1wd", "2024-03-01T10:00"),
        ("2023-02-28T10:00", "1wd", "2023-03-01T10:00"),
        # New years
        ("2019-12-31T23:59", "1wd", "2020-01-02T23:59"),
        ("2020-12-31T10:00", "1wd", "2021-01-04T10:00"),
        ("2023-12-29T10:00", "1wd", "2024-01-02T10:00"),
        ("2024-12-31T10:00", "2wd", "2025-01-03T10:00"),
        ("2024-12-28T10:00", "3wd", "2025-01-03T00:00"),
    ],
)
def test_holidays_days_worked_in_lieu_leap_days_and_new_years_in_china(start: str, duration: str, end: str) -> None:
    due = deadline(from_iso(f"{start}:00+08:00"), duration, CHINA, "Asia/Shanghai")
    assert shown(due, "Asia/Shanghai").strftime("%Y-%m-%dT%H:%M") == end


@pytest.mark.parametrize("start", ["2026-12-31T10:00:00+08:00", "2027-01-04T10:00:00+08:00"])
def test_a_year_that_is_missing_is_refused(start: str) -> None:
    with pytest.raises(DefinitionError, match="does not say which days of 2027 are working days"):
        deadline(from_iso(start), "1wd", CHINA, "Asia/Shanghai")


# A whole year, hour by hour


_BERLIN = small(
    zone="Europe/Berlin",
    rules=[{"rule": "cases", "on": "health.CasesConfirmed", "key": "event.region", "window": "400d", "basis": "law 2",
            "opens": True}],
    steps=[
        step("report", "opened", every="1d", repeat_while="true", only_one=False, acknowledge_by="1wd",
             complete_by="2wd"),
        step("inspect", "opened", every="5wd", repeat_while="true", only_one=False, acknowledge_by="2h",
             complete_by="1wd"),
    ],
    escalate=[{"at": "acknowledge_by", "to": "command_post"}, {"at": "complete_by", "to": "upper_government"}],
    closes="false",
)  # fmt: skip
BERLIN = Pack(PackContent(definition=_BERLIN.definition, calendar=CHINA, fields=_BERLIN.content.fields))
OPENED = from_iso("2020-01-01T09:30:00+01:00")
STEPS = 366 * 24


def test_a_year_hour_by_hour_with_a_daily_repetition_and_working_days() -> None:
    """A leap year with both changes of the clock; every third report is acknowledged late, every fifth never."""
    world = World(BERLIN, stepped=True)
    data = sample("health.CasesConfirmed", region="440100")
    world.append(*world.entries("health.CasesConfirmed", data, at=OPENED, region="440100"))
    answers: dict[int, list[tuple[int, str]]] = {}
    asked: list[dict[str, Any]] = []
    for number in range(STEPS + 24):
        at = OPENED - OPENED % HOUR + (number + 1) * HOUR
        entries = []
        for when, task in answers.pop(number, []):
            answer = sample("health.TaskAnswered", task=task, disposition="completed", note=None)
            entries += world.entries("health.TaskAnswered", answer, at=when, instance="small/440100/1")
        outputs = world.append(*entries, tick(at, number))
        for request in world.of_type("workflow.TaskRequested", outputs):
            asked.append(request)
            kind = len(asked) % 15
            if kind % 5:
                when = request["acknowledge_by"] + (HOUR if kind % 3 == 0 else -HOUR)
                answers.setdefault((when - (OPENED - OPENED % HOUR)) // HOUR, []).append((when, request["task"]))
    reports = [request for request in asked if request["step"] == "report"]
    assert [request["requested_at"] for request in reports][:366] == [OPENED + n * 24 * HOUR for n in range(366)]
    hours = {shown(request["requested_at"], "Europe/Berlin").hour for request in reports}
    assert hours == {9, 10}, "24 hours each: by the clock an hour later in summer"
    calendar = BERLIN.content.calendar
    for request in asked:
        for due in (request["complete_by"], *([request["acknowledge_by"]] if request["step"] == "report" else [])):
            assert is_working_day(shown(due, "Europe/Berlin").date(), calendar)
    inspections = [request["requested_at"] for request in asked if request["step"] == "inspect"]
    assert {shown(at, "Europe/Berlin").strftime("%H:%M") for at in inspections} <= {"09:30", "00:00"}
    escalated = {(data["task"], data["missed"]): data for data in world.of_type("workflow.TaskEscalated")}
    assert len(escalated) == len(world.of_type("workflow.TaskEscalated")), "each once"
    now = OPENED - OPENED % HOUR + (STEPS + 24) * HOUR
    for number, request in enumerate(asked, 1):
        missed = request["acknowledge_by"] < now - HOUR and (number % 5 == 0 or number % 3 == 0)
        assert ((request["task"], "acknowledge_by") in escalated) is missed
    assert_folds(world)


def assert_folds(world: World) -> None:
    """The journal, folded again in batches of another size, gives the same."""
    reads = [world.read(entry) for entry in world.journal]
    batches = [reads[at : at + 700] for at in range(0, len(reads), 700)]
    folded = fold(world.new_partition(), batches, frozenset(), codec().encode, outputs=True)
    assert compare_snapshots(folded, written(world.outputs, "workflow.instances"), decode) == []
    for topic in folded.outputs:
        assert compare_outputs(topic, folded, written(world.outputs, topic)) == []
