"""A dashboard's settings below a folder of the test's own."""

from pathlib import Path

import pytest

from deptbus.settings import Settings
from tests.dashboard.access.serving import local_settings


@pytest.fixture
def local(tmp_path: Path) -> Settings:
    """On loopback, nothing set up."""
    return local_settings(tmp_path)
