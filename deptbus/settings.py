"""Every setting, its default and its unit; the one place that reads the environment (``BUS_…`` variables).

Everything else takes a ``Settings`` or a part of it as an argument.
"""

import os
import pwd
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from deptbus.errors import SettingsError
from deptbus.namespace import Namespace

_OWN = ("failpoint", "metrics_port")
"""What no two processes can share."""


def system_user() -> str:
    """The system's name of whoever runs this process; its number where the system has no name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # in a container that runs under any number
        return str(os.getuid())


def system_account() -> str:
    """User and machine, as the audit names them beside the operator."""
    return f"{system_user()}@{socket.gethostname()}"


class Settings(BaseSettings):
    """The settings of one process. ``Settings.load()`` is how a process gets them."""

    model_config = SettingsConfigDict(env_prefix="BUS_", frozen=True, extra="ignore")

    # Where
    root: Path = Field(default_factory=Path.cwd, description="The folder with schemas/, topics/ and services/.")
    run_dir: Path = Field(Path(".run"), description="Where local processes keep data, logs and pids; below root.")
    stack: Literal["local", "compose", "external"] | None = Field(
        None, description="Who runs broker and registry; by default local where Maven is found, else compose."
    )
    namespace: str = Field("", description="The world to work in; empty is actual life.")

    # The stack on this machine
    kafka_port: int = Field(19092, ge=1, le=65535)
    kafka_controller_port: int = Field(19093, ge=1, le=65535)
    registry_port: int = Field(18081, ge=1, le=65535)
    kafka_heap: str = Field("512m", description="Heap of the local broker, as the JVM writes it.")
    kafka_jvm: str = Field(
        "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        description="Other options of the local broker's JVM; by default those with which it starts soonest.",
    )
    registry_heap: str = Field("256m", description="Heap of the local registry, as the JVM writes it.")
    lib_dir: Path = Field(Path(".run/lib"), description="Where the local stack's jars lie; below root.")
    fetch_timeout_s: float = Field(600, gt=0, description="How long Maven may fetch jars, in seconds.")
    start_timeout_s: float = Field(60, gt=0, description="How long a start may take, in seconds.")
    stop_timeout_s: float = Field(20, gt=0, description="After this a stopping process is killed, in seconds.")

    # Broker and registry
    bootstrap_servers: str = Field(
        default_factory=lambda given: f"127.0.0.1:{given['kafka_port']}",
        description="Kafka's addresses, comma separated; by default this machine's stack.",
    )
    schema_registry_url: str = Field(
        default_factory=lambda given: f"http://127.0.0.1:{given['registry_port']}/apis/ccompat/v7",
        description="The Confluent-compatible API of the registry; by default this machine's stack.",
    )
    schema_registry_user: str | None = None
    schema_registry_password: SecretStr | None = None
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    ssl_ca_location: Path | None = None
    ssl_certificate_location: Path | None = None
    ssl_key_location: Path | None = None
    replication: int | None = Field(None, ge=1, description="Overrides the replication factor in topics/.")

    # Limits
    value_bytes_max: int = Field(1_000_000, gt=0, description="The codec refuses larger values, in bytes.")
    import_bytes_max: int = Field(1_000_000, gt=0, description="A larger file of an alert is refused, in bytes.")
    publish_timeout_s: float = Field(30, gt=0, description="After this an unanswered publish is unknown.")
    publish_buffer_max: int = Field(100_000, gt=0, description="Events waiting in the producer at most.")
    publish_linger_ms: float = Field(0, ge=0, description="How long an event waits for others to travel with it.")
    handler_attempts_max: int = Field(3, ge=1, description="Calls of one handler for one event at most.")
    handler_backoff_ms: int = Field(200, ge=0, description="Pause before the second attempt; doubles each time.")
    handler_backoff_max_ms: int = Field(5_000, ge=0, description="The longest pause between attempts.")
    redrives_max: int = Field(3, ge=1, description="A dead letter that comes back after so many is quarantined.")
    inbox_max: int = Field(100_000, gt=0, description="Handled event ids remembered by a subscriber.")
    batch_max: int = Field(500, ge=1, description="Journal entries in one transaction at most.")
    batch_wait_ms: int = Field(10, ge=0, description="How long a batch waits for more entries.")
    replay_transaction_max: int = Field(100_000, ge=1, description="Source records in one transaction of a replay.")
    input_wait_s: float = Field(60, gt=0, description="A tick waits at most this long for inputs to be read.")

    # Notifications
    notify_timeout_s: float = Field(15, gt=0, le=120, description="How long one call of a webhook may take.")
    notify_backoff_s: float = Field(1, gt=0, description="Pause after the first failure; doubles each time.")
    notify_backoff_max_s: float = Field(300, gt=0, description="The longest pause between attempts, in seconds.")
    notify_retry_after_max_s: float = Field(3600, ge=0, description="A receiver's Retry-After counts up to this.")
    notify_attempts_max: int = Field(12, ge=1, description="Failed attempts at one notification at most.")
    notify_away_max_s: float = Field(86_400, gt=0, description="How long one notification waits for a receiver.")
    notify_ca_location: Path | None = Field(None, description="Authorities that webhooks are trusted by, in PEM.")

    # Operations
    operator: str = Field(default_factory=system_user, min_length=1, description="Who acts, as the audit names it.")

    # Metrics, health and traces
    metrics_port: int | None = Field(
        None, ge=0, le=65535, description="Serves metrics and health over HTTP; 0 takes any free port, unset none."
    )
    metrics_host: str = Field("127.0.0.1", description="The address served on; beyond loopback only if it says so.")
    otlp_endpoint: str | None = Field(
        None, description="Where traces are sent, as http://127.0.0.1:4318/v1/traces; none are recorded without."
    )
    trace_ratio: float = Field(0.1, ge=0, le=1, description="The share of traces that is recorded.")

    # The dashboard
    dashboard_host: str = Field("127.0.0.1", description="The address served on; beyond loopback only with sign-on.")
    dashboard_port: int = Field(18080, ge=0, le=65535, description="0 takes any free port.")
    dashboard_url: str | None = Field(
        None, description="Where people reach it, as https://command.example; by default here."
    )
    dashboard_database: str | None = Field(
        None, description="SQLAlchemy's URL of the projection; by default a SQLite file below run_dir."
    )
    dashboard_users: Path | None = Field(
        None, description="The file of users; by default dashboard/users.yaml below run_dir."
    )
    dashboard_boundaries: Path | None = Field(
        None, description="GeoJSON of administrative areas, each feature with its GB/T 2260 code, for the map."
    )
    dashboard_session_h: int = Field(12, ge=1, le=168, description="How long a sign-on holds, in hours.")
    dashboard_clients_max: int = Field(4_000, ge=1, description="Pages that follow live at once, at most.")
    oidc_issuer: str | None = Field(None, description="The OpenID Connect provider people sign on by.")
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_name_claim: str = Field("name", description="The claim that names who acts.")
    oidc_roles_claim: str = Field("roles", description="The claim with viewer, officer, commander, operator.")
    oidc_departments_claim: str = Field("departments", description="The claim with ids of departments; * is all.")

    # Logs
    log_format: Literal["console", "json"] = "console"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    lang: Literal["zh", "en"] = Field("en", description="The language of tables and messages for people.")

    # Tests of crash safety
    failpoint: str | None = Field(
        None, description="NAME or NAME:N: the process kills itself the Nth time it passes that point."
    )

    @classmethod
    def load(cls, **overrides: object) -> "Settings":
        """The settings of this process; ``SettingsError`` names the variable that is wrong."""
        try:
            return cls(**overrides)  # type: ignore[arg-type]  # pydantic checks them
        except ValidationError as error:
            first = error.errors()[0]
            name = "BUS_" + "_".join(str(part) for part in first["loc"]).upper()
            raise SettingsError(f"{name} is not usable: {first['msg']} (given: {first['input']!r}).") from None

    @property
    def world(self) -> Namespace:
        """The namespace, checked."""
        return Namespace(self.namespace)

    @property
    def run_path(self) -> Path:
        """The absolute path of ``run_dir``."""
        return (self.root / self.run_dir).absolute()

    @property
    def lib_path(self) -> Path:
        """The absolute path of ``lib_dir``."""
        return (self.root / self.lib_dir).absolute()

    def environment(self) -> dict[str, str]:
        """The variables by which another process gets these settings, without what is this process's own."""
        given = {name: getattr(self, name) for name in type(self).model_fields if name not in _OWN}
        return {
            f"BUS_{name.upper()}": value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            for name, value in given.items()
            if value is not None
        }


def process_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """What a process that this one starts finds in its environment: this one's, with ``variables`` set."""
    return {**os.environ, **variables}


def secret_variable(name: str) -> SecretStr | None:
    """A secret that a configuration file names by its environment variable; None where it is not set."""
    value = os.environ.get(name)
    return SecretStr(value) if value else None
