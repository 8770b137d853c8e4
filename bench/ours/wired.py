"""The connections of a worker, as ``deptbus run`` makes them."""

from deptbus import bootstrap
from deptbus.catalogue import load_catalogue
from deptbus.clock import system_clock
from deptbus.settings import Settings
from deptbus.streams.wiring import Wiring


def advance(settings: Settings) -> Wiring:
    """Those of ``advance-0``."""
    catalogue = load_catalogue(settings.root, system_clock())
    with bootstrap.open_registry(settings) as registry:
        codec = bootstrap.load_codec(settings, catalogue, registry)
    return Wiring(settings, "advance", 0, catalogue, codec)
