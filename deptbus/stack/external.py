"""A cluster that others run: it is only reached, never started or stopped."""

from collections.abc import Iterator, Sequence

import httpx

from deptbus.errors import ClusterUnreachable, RegistryError, StackError
from deptbus.kafka.reach import check_reachable
from deptbus.settings import Settings
from deptbus.stack.part import PartStatus, Report

_ASK_S = 5.0


class ExternalStack:
    """The cluster and registry that ``BUS_BOOTSTRAP_SERVERS`` and ``BUS_SCHEMA_REGISTRY_URL`` name."""

    kind = "external"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def up(self, report: Report) -> None:
        """Only check that both answer."""
        report(f"asking {self._settings.bootstrap_servers}")
        check_reachable(self._settings, min(_ASK_S, self._settings.start_timeout_s))
        report(f"asking {self._settings.schema_registry_url}")
        check_registry(self._settings)

    def down(self, report: Report) -> None:
        """Refused."""
        raise StackError(
            f"The cluster at {self._settings.bootstrap_servers} is run by others and not stopped from here; "
            "unset BUS_STACK, BUS_BOOTSTRAP_SERVERS and BUS_SCHEMA_REGISTRY_URL to mean this machine's stack."
        )

    def status(self) -> list[PartStatus]:
        """See ``Stack.status``; a remark says why a part does not answer."""
        settings, remarks = self._settings, ["", ""]
        try:
            check_reachable(settings, _ASK_S)
        except ClusterUnreachable as error:
            remarks[0] = str(error)
        try:
            check_registry(settings)
        except RegistryError as error:
            remarks[1] = str(error)
        return [
            PartStatus("kafka", not remarks[0], not remarks[0], settings.bootstrap_servers, remark=remarks[0]),
            PartStatus("registry", not remarks[1], not remarks[1], settings.schema_registry_url, remark=remarks[1]),
        ]

    def logs(self, parts: Sequence[str], lines: int, follow: bool) -> Iterator[tuple[str, str]]:
        """Refused."""
        raise StackError(
            f"The logs of {' and '.join(parts)} are with those who run the cluster at "
            f"{self._settings.bootstrap_servers}; ask them."
        )


def check_registry(settings: Settings) -> None:
    """Return when the registry lists its subjects; ``RegistryError`` says why it does not."""
    url, password = settings.schema_registry_url, settings.schema_registry_password
    user = settings.schema_registry_user
    auth = (user, password.get_secret_value() if password else "") if user else None
    try:
        answer = httpx.get(f"{url}/subjects", timeout=_ASK_S, auth=auth, trust_env=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise RegistryError(
            f"The schema registry does not answer at {url} ({str(error) or type(error).__name__}): "
            "check BUS_SCHEMA_REGISTRY_URL and that it runs."
        ) from None
    if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise RegistryError(
            f"The schema registry at {url} refuses us ({answer.status_code}): "
            "check BUS_SCHEMA_REGISTRY_USER and BUS_SCHEMA_REGISTRY_PASSWORD."
        )
    if answer.status_code != httpx.codes.OK:
        raise RegistryError(
            f"The schema registry at {url} answers with the error {answer.status_code}: check that the "
            "address ends in its Confluent-compatible API, and look into the registry's log."
        )
