"""``deptbus publish``: one event by hand."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from deptbus.cli import output
from deptbus.errors import SettingsError


def publish(
    event_type: Annotated[str, typer.Argument(metavar="TYPE", help="The event type: health.CasesConfirmed.")],
    data: Annotated[str, typer.Option(help="A file with the data as JSON, or - for standard input.")],
    subject: Annotated[str, typer.Option(help="What the event is about; on most topics also the key.")],
    region: Annotated[str | None, typer.Option(help="GB/T 2260 code.")] = None,
    basis: Annotated[str | None, typer.Option(help="The legal basis.")] = None,
    actor: Annotated[str | None, typer.Option(help="The officer who acts.")] = None,
    as_: Annotated[str | None, typer.Option("--as", help="The department; by default the type's owner.")] = None,
    event_id: Annotated[str | None, typer.Option("--id", help="A UUID, to publish the same event again.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Publish one event and say where it is. Ends with 2 unless the broker has acknowledged it."""
    from deptbus import bootstrap
    from deptbus.catalogue import load_catalogue
    from deptbus.clock import iso, system_clock
    from deptbus.jsondata import from_json
    from deptbus.settings import Settings

    settings = Settings.load()
    content = read_content(data)
    catalogue = load_catalogue(settings.root, system_clock())
    owner = as_ or catalogue.topic_of(event_type).owner
    with bootstrap.open_registry(settings) as registry:
        codec = bootstrap.load_codec(settings, catalogue, registry, {event_type})
    bus = bootstrap.connect(settings, owner, catalogue=catalogue, codec=codec)
    try:
        outcome = bus.publish(
            event_type,
            from_json(catalogue.schemas.newest(event_type).schema, content),
            subject=subject,
            region=region,
            legal_basis=basis,
            actor=actor,
            id=event_id,
        ).require()
    finally:
        bus.close()
    if as_json:
        output.json({
            "id": outcome.event_id, "topic": outcome.topic, "partition": outcome.partition,
            "offset": outcome.offset, "timestamp": iso(outcome.timestamp_ms),
        })  # fmt: skip
    else:
        where = f"{outcome.topic}[{outcome.partition}]@{outcome.offset}"
        output.out.print(f"{event_type} {outcome.event_id} is on {where}.", markup=False, soft_wrap=True)


def read_content(data: str) -> Any:
    """The JSON object in a file, or on standard input for ``-``; ``SettingsError``."""
    import orjson

    try:
        text = sys.stdin.buffer.read() if data == "-" else Path(data).read_bytes()
    except OSError as error:
        raise SettingsError(f"--data {data} cannot be read: {error.strerror}.") from None
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise SettingsError(f"--data {data} is no JSON: {error}.") from None
    if not isinstance(content, dict):
        raise SettingsError(f"--data {data} is no JSON object.")
    return content
