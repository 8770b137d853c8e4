"""How aiokafka is let in by the broker: the same settings as ``configuration``, in its words."""

import ssl
from typing import Any

from deptbus.settings import Settings


def connection(settings: Settings) -> dict[str, Any]:
    """Addresses and security, as its clients take them."""
    context = None
    if settings.security_protocol.endswith("SSL"):
        context = ssl.create_default_context(cafile=str(settings.ssl_ca_location) if settings.ssl_ca_location else None)
        if settings.ssl_certificate_location:
            key = settings.ssl_key_location
            context.load_cert_chain(str(settings.ssl_certificate_location), str(key) if key else None)
    return {
        "bootstrap_servers": settings.bootstrap_servers,
        "security_protocol": settings.security_protocol,
        "ssl_context": context,
        "sasl_mechanism": settings.sasl_mechanism or "PLAIN",
        "sasl_plain_username": settings.sasl_username,
        "sasl_plain_password": settings.sasl_password.get_secret_value() if settings.sasl_password else None,
    }
