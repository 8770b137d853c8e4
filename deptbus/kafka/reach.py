"""Does a cluster answer with these settings? The one sentence that says why not."""

import logging

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from deptbus.errors import ClusterUnreachable, SettingsError
from deptbus.kafka.configuration import client_configuration
from deptbus.settings import Settings

_silent = logging.getLogger("deptbus.kafka.reach")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False  # librdkafka would tell of every attempt; the sentence below tells once

_ADVICE = {
    KafkaError._AUTHENTICATION: "check BUS_SASL_MECHANISM, BUS_SASL_USERNAME and BUS_SASL_PASSWORD",
    KafkaError._RESOLVE: "check the names in BUS_BOOTSTRAP_SERVERS",
    KafkaError._SSL: "check BUS_SECURITY_PROTOCOL and the BUS_SSL_… settings",
}


def check_reachable(settings: Settings, timeout_s: float) -> None:
    """Return when a broker answers with metadata.

    ``ClusterUnreachable`` says why none does: after ``timeout_s``, or at once where credentials are refused.
    """
    errors: list[KafkaError] = []
    configuration = client_configuration(settings) | {"logger": _silent, "error_cb": errors.append}
    try:
        client = AdminClient(configuration)
    except KafkaException as error:
        raise SettingsError(f"Kafka's client refuses its settings: {error.args[0].str()}.") from None
    remaining_s = timeout_s
    while True:
        step_s = min(0.5, remaining_s)
        try:
            client.list_topics(timeout=step_s)
        except KafkaException as error:
            remaining_s -= step_s
            client.poll(0)
            refused = [one for one in errors if one.code() in _ADVICE]
            if refused or remaining_s <= 0:
                cause = refused[0] if refused else _telling(errors) or error.args[0]
                raise ClusterUnreachable(_sentence(settings, cause)) from None
        else:
            return


def _telling(errors: list[KafkaError]) -> KafkaError | None:
    """The first error that says more than that all brokers are down."""
    return next((one for one in errors if one.code() != KafkaError._ALL_BROKERS_DOWN), None)


def _sentence(settings: Settings, cause: KafkaError) -> str:
    advice = _ADVICE.get(cause.code(), "check BUS_BOOTSTRAP_SERVERS and that the cluster runs (`deptbus status`)")
    return f"No Kafka broker answers at {settings.bootstrap_servers} ({cause.str().rstrip('. ')}): {advice}."
