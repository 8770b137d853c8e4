"""What pages that are open are sent: everything they may see, once and in order, or the order to fetch all again."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.dashboard.live import hub as module
from services.dashboard.live.hub import Client, Hub, HubFull

HEALTH, POLICE = frozenset({"health"}), frozenset({"police"})


class Of:
    """Somebody who sees the instances of some departments; of all without any."""

    def __init__(self, *departments: str) -> None:
        self._departments = frozenset(departments)

    def sees(self, departments: frozenset[str]) -> bool:
        return not self._departments or bool(self._departments & departments)


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 10))


def parsed(sent: bytes) -> list[tuple[str, str, Any]]:
    """Id, kind and data of each event."""
    events = []
    for text in sent.decode().split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in text.split("\n"))
        events.append((fields["id"], fields["event"], orjson.loads(fields["data"])))
    return events


async def numbers(client: Client) -> list[int]:
    """What it has been sent, as numbers."""
    return [data["n"] for _, kind, data in parsed(await client.take()) if kind == "line"]


def publish(hub: Hub, first: int, last: int, departments: frozenset[str] | None = HEALTH) -> None:
    hub.publish(("line", departments, {"n": number}) for number in range(first, last + 1))


def test_everybody_gets_what_they_may_see_and_nothing_else() -> None:
    async def work() -> None:
        hub = Hub(10)
        all_of_it, health, police = hub.join(Of(), None), hub.join(Of("health"), None), hub.join(Of("police"), None)
        publish(hub, 1, 2, HEALTH)
        publish(hub, 3, 3, POLICE)
        publish(hub, 4, 4, None)
        assert await numbers(all_of_it) == [1, 2, 3, 4]
        assert await numbers(health) == [1, 2, 4]
        assert await numbers(police) == [3, 4]

    run(work())


def test_who_comes_back_gets_what_was_missed_and_only_what_may_be_seen() -> None:
    async def work() -> None:
        hub = Hub(10)
        first = hub.join(Of("health"), None)
        publish(hub, 1, 3)
        last = parsed(await first.take())[1][0]
        hub.leave(first)
        publish(hub, 4, 4, POLICE)
        publish(hub, 5, 5)
        assert await numbers(hub.join(Of("health"), last)) == [3, 5]

    run(work())


@pytest.mark.parametrize("after", ["another.1", "nonsense", "", "{epoch}.99", "{epoch}.-1", "{epoch}.x"])
def test_who_comes_back_with_a_position_that_is_not_known_fetches_all_again(after: str) -> None:
    async def work() -> None:
        hub = Hub(10)
        publish(hub, 1, 3)
        client = hub.join(Of(), after.format(epoch=hub.epoch))
        assert [kind for _, kind, _ in parsed(await client.take())] == ["reset"]

    run(work())


def test_who_was_away_for_too_long_fetches_all_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        monkeypatch.setattr(module, "RING_MAX", 5)
        hub = Hub(10)
        position = hub.position
        publish(hub, 1, 5)
        assert await numbers(hub.join(Of(), position)) == [1, 2, 3, 4, 5]
        publish(hub, 6, 6)
        assert [kind for _, kind, _ in parsed(await hub.join(Of(), position).take())] == ["reset"]

    run(work())


def test_who_does_not_keep_up_is_let_go_and_misses_nothing_after_coming_back() -> None:
    async def work() -> None:
        hub = Hub(10)
        slow, quick = hub.join(Of(), None), hub.join(Of(), None)
        cut: list[bool] = []
        slow.stop = lambda: cut.append(True)
        position = hub.position
        seen: list[int] = []
        for number in range(1, module.QUEUE_MAX + 11):
            publish(hub, number, number)
            seen += await numbers(quick)
        assert (slow.gone, cut, hub.evicted, len(hub)) == (True, [True], 1, 1)
        assert not quick.gone
        assert await slow.take() == b""
        again = hub.join(Of(), position)
        assert await numbers(again) == seen == list(range(1, module.QUEUE_MAX + 11))

    run(work())


def test_a_page_that_waits_is_woken_and_one_that_leaves_is_forgotten() -> None:
    async def work() -> None:
        hub = Hub(10)
        client = hub.join(Of(), None)
        waiting = asyncio.ensure_future(numbers(client))
        await asyncio.sleep(0)
        publish(hub, 7, 7)
        assert await waiting == [7]
        hub.leave(client)
        publish(hub, 8, 8)
        assert len(hub) == 0

    run(work())


def test_all_are_let_go_when_the_server_ends() -> None:
    async def work() -> None:
        hub = Hub(10)
        client = hub.join(Of(), None)
        waiting = asyncio.ensure_future(client.take())
        await asyncio.sleep(0)
        hub.close()
        assert await waiting == b""
        assert client.gone

    run(work())


def test_no_more_pages_than_may_be() -> None:
    async def work() -> None:
        hub = Hub(1)
        hub.join(Of(), None)
        with pytest.raises(HubFull):
            hub.join(Of(), None)

    run(work())


def test_after_a_filling_everybody_fetches_all_again_and_older_positions_are_void() -> None:
    async def work() -> None:
        hub = Hub(10)
        client, position = hub.join(Of(), None), hub.position
        publish(hub, 1, 1)
        hub.reset()
        assert [kind for _, kind, _ in parsed(await client.take())] == ["line", "reset"]
        assert [kind for _, kind, _ in parsed(await hub.join(Of(), position).take())] == ["reset"]

    run(work())


HOSTILE = st.recursive(
    st.text() | st.integers(-(2**53), 2**53), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@given(HOSTILE)
def test_no_text_breaks_the_framing(data: Any) -> None:
    (event,) = parsed(module.frame_bytes("line", data, "e.1"))
    assert event == ("e.1", "line", data)


@given(st.lists(st.sampled_from("plr"), max_size=60))
def test_whoever_leaves_and_comes_back_has_seen_all_once_and_in_order(acts: list[str]) -> None:
    async def work() -> None:
        hub = Hub(10)
        position, client, published = hub.position, hub.join(Of(), None), 0
        seen: list[int] = []
        for act in acts:
            if act == "p":
                published += 1
                publish(hub, published, published)
            elif act == "r" and published > len(seen):
                events = parsed(await client.take())
                seen += [data["n"] for _, _, data in events]
                position = events[-1][0]
            elif act == "l":
                hub.leave(client)
                client = hub.join(Of(), position)
        if published > len(seen):
            seen += await numbers(client)
        assert seen == list(range(1, published + 1))

    run(work())
