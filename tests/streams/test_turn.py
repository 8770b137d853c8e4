"""One computes at a time, in order, and whoever waits for the broker lets others compute. No broker."""

import asyncio
import threading

import pytest

from deptbus.streams.turn import Share, Turns


def test_turns_come_in_the_order_in_which_they_are_asked_for() -> None:
    async def play() -> list[str]:
        turns, told = Turns(), []

        async def work(name: str) -> None:
            async with turns.turn():
                told.append(f"{name} begins")
                await asyncio.sleep(0)
                told.append(f"{name} ends")

        await asyncio.gather(*(work(name) for name in "abc"))
        return told

    assert asyncio.run(play()) == [f"{name} {what}" for name in "abc" for what in ("begins", "ends")]


def test_a_turn_that_is_over_in_a_thread_lets_the_next_begin_while_the_thread_waits() -> None:
    async def play() -> None:
        turns, committed = Turns(), threading.Event()

        def batch(share: Share) -> bool:
            share.over()
            share.over()
            return committed.wait(10)

        async def first() -> bool:
            async with turns.turn() as share:
                return await asyncio.get_running_loop().run_in_executor(None, batch, share)

        waiting = asyncio.create_task(first())
        await asyncio.sleep(0)
        async with asyncio.timeout(10), turns.turn():
            third = asyncio.create_task(_has_a_turn(turns))
            await asyncio.sleep(0)
            committed.set()
            assert await waiting
            await asyncio.sleep(0)
            assert not third.done(), "what is over twice, and then left, ends one turn and not another's"
        await third

    asyncio.run(play())


def test_a_turn_ends_with_an_error() -> None:
    async def play() -> None:
        turns = Turns()
        with pytest.raises(ValueError, match="broken"):
            async with turns.turn():
                raise ValueError("broken")
        async with asyncio.timeout(10):
            await _has_a_turn(turns)

    asyncio.run(play())


async def _has_a_turn(turns: Turns) -> None:
    async with turns.turn():
        pass
