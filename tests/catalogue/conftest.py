"""Fixtures of the catalogue's tests."""

from pathlib import Path

import pytest

from tests.catalogue.files import write_catalogue


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The small catalogue on disk."""
    return write_catalogue(tmp_path)
