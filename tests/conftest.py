"""One broker and registry for the whole session, a fresh namespace for each test."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest
from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from hypothesis import HealthCheck, settings

from deptbus.exercise.exercise import drop_namespace
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration
from deptbus.namespace import Namespace
from deptbus.settings import Settings
from tests.broker import SharedStack, choose, shared_stack

# Nothing fails because the machine was busy.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

_KIND, _WHY = choose()
FIRST = ("docs/test_readme.py", "exercise/test_exercise.py", "docs/test_workflows.py", "stack/test_compose.py")
"""Files that take minutes: at the end one of them would keep a worker busy while the others have nothing to do."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first."""
    order = {f"tests/{name}": number for number, name in enumerate(FIRST)}
    items.sort(key=lambda item: order.get(item.nodeid.partition("::")[0], len(order)))


def pytest_configure(config: pytest.Config) -> None:
    """The settings of whoever runs the tests are not those of the tests."""
    for name in [name for name in os.environ if name.startswith("BUS_") and not name.startswith("BUS_TEST_")]:
        del os.environ[name]


def pytest_report_header(config: pytest.Config) -> str:
    """Say which stack tests that need one get."""
    return f"broker and registry: {_KIND} ({_WHY})"


@pytest.fixture(scope="session")
def stack() -> Iterator[SharedStack]:
    """The broker and registry that all tests share."""
    with shared_stack(_KIND) as shared:
        yield shared


@pytest.fixture
def namespace(stack: SharedStack) -> Iterator[Namespace]:
    """A world of this test's own; its topics and groups are deleted afterwards."""
    fresh = Namespace(f"t-{uuid4().hex[:8]}")
    yield fresh
    drop_namespace(Admin(client_configuration(stack.settings())), fresh)  # killed workers are still members for a while


@pytest.fixture
def settings(stack: SharedStack, namespace: Namespace) -> Settings:
    """Settings of a process in this test's world, with the project's own schemas, topics and services."""
    return stack.settings(namespace=namespace.name)


@dataclass(frozen=True)
class ScramUser:
    """A user known to the broker's SCRAM-SHA-512 listener."""

    bootstrap_servers: str
    name: str
    password: str


@pytest.fixture(scope="session")
def scram(stack: SharedStack) -> ScramUser:
    """The broker's second listener, and a user who may connect to it."""
    user = ScramUser(stack.sasl_bootstrap_servers, "health", "correct horse")
    credentials = UserScramCredentialUpsertion(
        user.name, ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096), user.password.encode()
    )
    admin = AdminClient(client_configuration(stack.settings()))
    for answer in admin.alter_user_scram_credentials([credentials]).values():
        answer.result(timeout=30)
    return user
