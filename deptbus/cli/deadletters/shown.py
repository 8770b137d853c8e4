"""How letters are shown, to people and to programs."""

from typing import TYPE_CHECKING, Any

import orjson

from deptbus.cli import output, showing, words
from deptbus.cli.deadletters.common import print_line, said
from deptbus.clock import iso

if TYPE_CHECKING:
    from deptbus.operations.explaining import Explained
    from deptbus.operations.letters import Act, Heap, Letter
    from deptbus.record import Record
    from deptbus.settings import Settings

SHOWN_BYTES = 512
"""Bytes of a value that are shown unless all are asked for."""


def show_heaps(found: "list[Heap]", settings: "Settings", as_json: bool) -> None:
    if as_json:
        output.json([
            {
                "reason": heap.reason, "group": heap.group, "topic": heap.topic, "type": heap.type,
                "letters": heap.count, "states": heap.states, "first": iso(heap.first_ms), "last": iso(heap.last_ms),
            }
            for heap in found
        ])  # fmt: skip
        return
    lang = settings.lang
    rows = [
        (
            heap.count, words.word(heap.reason, lang), heap.group, f"{heap.topic}\n{heap.type or '?'}",
            "\n".join(f"{count} {words.word(state, lang)}" for state, count in heap.states.items() if count),
            f"{words.moment(heap.first_ms)}\n{words.moment(heap.last_ms)}",
        )
        for heap in found
    ]  # fmt: skip
    showing.banner(settings)
    showing.table("", ("letters", "reason", "group", "topic", "state", "given_up"), rows, lang)
    if not found:
        output.note(said(lang, "There are no dead letters of that kind.", "没有此类死信。"))


def show_letters(found: "list[Letter]", settings: "Settings", as_json: bool) -> None:
    if as_json:
        output.json([letter_json(letter, settings) for letter in found])
        return
    for letter in found:
        state = words.word(letter.state(settings.redrives_max), settings.lang)
        parts = (
            iso(letter.last_ms), letter.id, state, letter.reason, letter.group, letter.type or "?", letter.coordinates
        )  # fmt: skip
        output.out.print(words.plain(" ".join(parts)), markup=False, soft_wrap=True)


def letter_json(letter: "Letter", settings: "Settings") -> dict[str, Any]:
    return {
        "id": letter.id, "state": letter.state(settings.redrives_max), "topic": letter.topic,
        "partition": letter.partition, "offset": letter.offset, "timestamp": iso(letter.timestamp_ms),
        "type": letter.type, "event": letter.event_id, "group": letter.group, "reason": letter.reason,
        "message": letter.message, "attempts": letter.attempts, "truncated": letter.truncated, "bytes": letter.size,
        "sent_again": letter.count, "sent_from": letter.sent_from, "returned_as": letter.returned,
        "first": iso(letter.first_ms), "last": iso(letter.last_ms),
        "acts": [
            {
                "act": act.act, "at": iso(act.at_ms), "actor": act.actor, "reason": act.reason, "event": act.event,
                "forced": act.forced, "run": act.run,
            }
            for act in letter.acts
        ],
    }  # fmt: skip


def content_json(record: "Record", explained: "Explained") -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "key": text(record.key),
        "headers": [{"name": name, "value": text(value)} for name, value in record.headers],
        "value": None if record.value is None else record.value.hex(),
        "read": asdict(explained),
    }


def show_letter(letter: "Letter", record: "Record", explained: "Explained", settings: "Settings", whole: bool) -> None:
    lang = settings.lang
    showing.banner(settings)
    rows: list[tuple[str, object]] = [
        ("letter", letter.id), ("state", words.word(letter.state(settings.redrives_max), lang)),
        ("group", letter.group), ("reason", words.word(letter.reason, lang)), ("message", letter.message),
        ("attempts", letter.attempts), ("given_up", iso(letter.last_ms)), ("record", letter.coordinates),
        ("at", iso(letter.timestamp_ms)), ("key", text(record.key)), ("sent_again", letter.count or None),
        ("sent_from", letter.sent_from), ("returned_as", letter.returned),
    ]  # fmt: skip
    for name, value in rows:
        if value is not None:
            print_line(f"{words.word(name, lang)}: {value}")
    for name, content in record.headers:
        print_line(f"  {name}: {text(content)}")
    for act in letter.acts:
        print_line(_told(act, lang))
    _show_value(record.value, explained, lang, whole)


def _show_value(value: bytes | None, explained: "Explained", lang: str, whole: bool) -> None:
    from deptbus.operations.explaining import hex_dump

    if value is not None:
        shown = value if whole else value[:SHOWN_BYTES]
        print_line(f"{words.word('value', lang)}: {len(value)} bytes")
        for line in hex_dump(shown):
            print_line(f"  {line}")
        if len(shown) < len(value):
            print_line(
                said(
                    lang,
                    f"  … {len(value) - len(shown)} more: --bytes",
                    f"  …… 其余 {len(value) - len(shown)} 字节：--bytes",
                )
            )
    if explained.schema is not None:
        print_line(said(
            lang, f"read as {explained.schema}, schema id {explained.schema_id}:",
            f"按 {explained.schema}（模式编号 {explained.schema_id}）解读：",
        ))  # fmt: skip
        text = orjson.dumps(explained.data, option=orjson.OPT_INDENT_2, default=str).decode()
        output.out.print(words.plain(text), markup=False, soft_wrap=True)
    if explained.problem:
        where = (
            "" if explained.at is None else f" (byte {explained.at}{', ' if explained.path else ''}{explained.path})"
        )
        print_line(said(lang, f"It breaks: {explained.problem}{where}", f"无法解读：{explained.problem}{where}"))


def _told(act: "Act", lang: str) -> str:
    event = f" → {act.event}" if act.event else ""
    return f"{iso(act.at_ms)} {words.word(act.act, lang)} ({act.actor}): {act.reason}{event}"


def text(content: bytes | None) -> str | None:
    return None if content is None else content.decode("utf-8", "backslashreplace")
