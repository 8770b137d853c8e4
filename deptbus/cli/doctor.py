"""``deptbus doctor``: how every part of the bus is, and what to do where it is not well."""

from typing import Annotated

import typer

from deptbus.cli import output, showing, words

UNWELL = 3
"""The exit code where somebody should act."""


def doctor(
    probe: Annotated[
        bool, typer.Option("--probe/--no-probe", help="Write three records to bus.progress to compare clocks.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Look at brokers, quorum, partitions, registry, topics, groups, clock, dead letters, audit, disk, versions.

    Each finding says how grave it is and what to do. Ends with 0 where nothing calls for anybody, with 3 where
    something does, with 2 where no broker answers.
    """
    from deptbus.examining import Examination
    from deptbus.settings import Settings

    settings = Settings.load()
    examination = Examination(settings, probe=probe)
    with output.err.status("") as spinner:
        found = list(examination.areas(lambda area: spinner.update(words.word(area, settings.lang))))
    if as_json:
        output.json({"healthy": not any(one.calls for one in found), "findings": [one.to_json() for one in found]})
    else:
        showing.banner(settings)
        rows = [
            (
                words.word(one.area, settings.lang), words.word(one.severity.value, settings.lang),
                one.text.in_(settings.lang), one.advice.in_(settings.lang),
            )
            for one in found
        ]  # fmt: skip
        showing.table("", ("area", "severity", "finding", "advice"), rows, settings.lang)
    if any(one.calls for one in found):
        raise typer.Exit(UNWELL)
