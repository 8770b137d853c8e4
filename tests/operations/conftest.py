"""A namespace with the audit's topic alone, and the recorder on it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from deptbus import bootstrap
from deptbus.catalogue import Catalogue, load_catalogue
from deptbus.codec import Codec
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration
from deptbus.operations.audit import Auditor
from deptbus.schemas.registration import register_schemas
from deptbus.schemas.store import SchemaStore
from deptbus.settings import Settings
from tests.broker import ROOT, SharedStack


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """The project's own."""
    return load_catalogue(ROOT, 0)


@pytest.fixture(scope="session")
def audit_codec(stack: SharedStack, catalogue: Catalogue) -> Codec:
    """Knows acts."""
    settings = stack.settings()
    acts = SchemaStore(file for file in catalogue.schemas.all() if file.type == "bus.ActAudited")
    with bootstrap.open_registry(settings) as registry:
        register_schemas(registry, acts, {})
        return bootstrap.load_codec(settings, catalogue, registry, {"bus.ActAudited"})


@pytest.fixture
def audited(settings: Settings, catalogue: Catalogue, tmp_path: Path) -> Settings:
    """Settings of a world with the audit's topic, and of a machine of its own."""
    admin = Admin(client_configuration(settings))
    admin.create_namespace_topics(settings.world, [catalogue.topic("bus.audit")])
    return settings.model_copy(update={"run_dir": tmp_path})


@pytest.fixture
def kafka_auditor(audited: Settings, catalogue: Catalogue, audit_codec: Codec) -> Callable[..., Auditor]:
    """Opens the real recorder."""

    def open_auditor(**given: str) -> Auditor:
        return bootstrap.open_auditor(audited, catalogue, audit_codec, **given)

    return open_auditor
