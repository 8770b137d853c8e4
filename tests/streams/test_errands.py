"""What may be used from one thread alone is: one errand after another, others while one waits. No broker."""

import asyncio
import threading

import pytest

from deptbus.streams.errands import Errands


def test_errands_are_run_in_one_thread_in_their_order() -> None:
    async def play() -> None:
        errands = Errands("member", asyncio.get_running_loop())
        names: list[tuple[int, str]] = []
        answers = await asyncio.gather(
            *(errands.run(lambda n: names.append((n, threading.current_thread().name)) or n, n) for n in range(5))
        )
        errands.end()
        assert answers == [0, 1, 2, 3, 4]
        assert names == [(n, "member") for n in range(5)]

    asyncio.run(play())


def test_what_an_errand_raises_is_raised_where_it_was_asked_for() -> None:
    async def play() -> None:
        errands = Errands("member", asyncio.get_running_loop())
        with pytest.raises(ZeroDivisionError):
            await errands.run(lambda: 1 // 0)
        assert await errands.run(lambda: "goes on") == "goes on"
        errands.end()

    asyncio.run(play())


def test_others_are_run_while_one_waits_for_the_loop() -> None:
    """A commit is asked for while partitions are shared out, and sharing out waits for it."""

    async def play() -> list[str]:
        errands = Errands("member", asyncio.get_running_loop())
        told: list[str] = []

        async def finish() -> str:
            told.append("finishing")
            await errands.run(told.append, "committed")
            return "finished"

        told.append(await errands.run(lambda: errands.wait_for(finish())))
        told.append(await errands.run(lambda: "goes on"))
        errands.end()
        return told

    assert asyncio.run(play()) == ["finishing", "committed", "finished", "goes on"]


def test_what_the_loop_raises_is_raised_in_the_errand() -> None:
    async def play() -> None:
        errands = Errands("member", asyncio.get_running_loop())

        async def fail() -> None:
            raise ValueError("taken away")

        with pytest.raises(ValueError, match="taken away"):
            await errands.run(lambda: errands.wait_for(fail()))
        errands.end()

    asyncio.run(play())
