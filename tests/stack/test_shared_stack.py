"""The tests' own broker and registry do what the fixtures promise; our settings reach a SCRAM listener."""

import httpx
import pytest
from confluent_kafka.admin import AdminClient

from deptbus.errors import ClusterUnreachable
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration
from deptbus.kafka.reach import check_reachable
from deptbus.namespace import Namespace
from deptbus.settings import Settings
from deptbus.stack.external import ExternalStack
from deptbus.topics.plan import TopicState
from tests.broker import SharedStack
from tests.conftest import ScramUser

pytestmark = pytest.mark.kafka


def test_broker_and_registry_answer(stack: SharedStack) -> None:
    ExternalStack(stack.settings()).up(lambda text: None)
    assert httpx.get(f"{stack.registry_url}/subjects").json() is not None


def test_a_namespace_can_be_dropped_whole(settings: Settings, namespace: Namespace) -> None:
    admin = Admin(client_configuration(settings))
    admin.create(namespace, [TopicState("health.cases", 2, 1, {})])
    assert set(admin.names(namespace)) == {"health.cases"}
    admin.delete_namespace(namespace)
    assert admin.names(namespace) == {}


def _with_scram(stack: SharedStack, scram: ScramUser, password: str) -> Settings:
    return stack.settings(
        bootstrap_servers=scram.bootstrap_servers,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_username=scram.name,
        sasl_password=password,
    )


def test_settings_connect_with_scram(stack: SharedStack, scram: ScramUser) -> None:
    settings = _with_scram(stack, scram, scram.password)
    check_reachable(settings, 20)
    assert AdminClient(client_configuration(settings)).list_topics(timeout=20).brokers


def test_a_wrong_password_is_one_sentence(stack: SharedStack, scram: ScramUser) -> None:
    with pytest.raises(ClusterUnreachable) as refused:
        check_reachable(_with_scram(stack, scram, "wrong"), 20)
    assert "BUS_SASL_PASSWORD" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "wrong" not in str(refused.value)
