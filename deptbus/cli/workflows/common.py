"""What the commands about workflows share: the project's files, the cluster, the time, how a pack is summed up."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from deptbus.catalogue import Catalogue
    from deptbus.settings import Settings
    from deptbus.workflow.pack import Pack

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
Name = Annotated[str, typer.Argument(help="A folder of services/workflows/.")]
At = Annotated[str | None, typer.Option("--at", help="The time of an exercise, RFC 3339; by default now.")]
_REACH_S = 3.0
"""How long a cluster may take to answer, in seconds."""


def project() -> tuple["Settings", "Catalogue", int]:
    """Settings, catalogue and the present year."""
    from datetime import UTC, datetime

    from deptbus.catalogue import load_catalogue
    from deptbus.clock import system_clock
    from deptbus.settings import Settings

    settings = Settings.load()
    now = system_clock()
    return settings, load_catalogue(settings.root, now), datetime.fromtimestamp(now / 1000, UTC).year


def reach(settings: "Settings") -> None:
    """``ClusterUnreachable`` unless the broker answers."""
    from deptbus.kafka.reach import check_reachable

    check_reachable(settings, _REACH_S)


def time(settings: "Settings", given: str | None) -> int:
    """The time that the activation names: now, or in an exercise what the caller says."""
    from deptbus.clock import from_iso, system_clock
    from deptbus.errors import SettingsError

    if given is None:
        return system_clock()
    if not settings.namespace:
        raise SettingsError("--at belongs to exercises: set BUS_NAMESPACE; in actual life the time is now.")
    try:
        return from_iso(given)
    except ValueError:
        raise SettingsError(f"--at {given} is no time with a zone, such as 2020-01-20T00:00:00+08:00.") from None


def summary(pack: "Pack") -> dict[str, Any]:
    """A pack for programs."""
    return {
        "workflow": pack.workflow,
        "version": pack.version,
        "kind": pack.definition.kind,
        "titles": pack.definition.titles.model_dump(),
        "hash": pack.hash,
        "event_types": sorted(pack.event_types),
    }
