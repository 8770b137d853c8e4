"""Does a cluster answer with these settings? The one sentence that says why not, and whether it still does."""

import logging
import threading
import time

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from deptbus.errors import ClusterUnreachable, SettingsError
from deptbus.kafka.configuration import client_configuration
from deptbus.settings import Settings

_silent = logging.getLogger("deptbus.kafka.reach")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False  # librdkafka would tell of every attempt; the sentence below tells once

LATELY_S = 5.0
"""An answer counts for so long, in seconds."""
ANSWER_S = 2.0
"""How long a broker may take for it, in seconds."""

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


class Reach:
    """Whether a broker has answered lately: asked again when somebody wants to know, at most once in ``LATELY_S``.

    Safe to use from several threads. Connects at the first question.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: AdminClient | None = None
        self._asking = threading.Lock()
        self._answered_s = -LATELY_S

    def away(self) -> str | None:
        """Why no broker can be counted on; None when one has answered lately."""
        with self._asking:
            if time.monotonic() - self._answered_s < LATELY_S:
                return None
            try:
                if self._client is None:
                    self._client = AdminClient(client_configuration(self._settings) | {"logger": _silent})
                self._client.describe_cluster(request_timeout=ANSWER_S).result(2 * ANSWER_S)
            except (KafkaException, TimeoutError):
                return f"no broker answers at {self._settings.bootstrap_servers}"
            self._answered_s = time.monotonic()
            return None

    def close(self) -> None:
        """Let go of the broker."""
        self._client = None
