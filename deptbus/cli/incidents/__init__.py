"""``deptbus incidents``: what commanders watch (``watch``) and order (``acts``)."""

from deptbus.cli.incidents import acts, watch
from deptbus.cli.incidents.options import app

__all__ = ["acts", "app", "watch"]
