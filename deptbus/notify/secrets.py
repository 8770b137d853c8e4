"""Where signing secrets come from: variables, files, or one generated for a receiver on this machine."""

import contextlib
import os
from pathlib import Path
from secrets import token_bytes

from deptbus.errors import SettingsError
from deptbus.notify.config import Channel
from deptbus.notify.signing import SECRET_BYTES, new_secret, parse_secret
from deptbus.settings import Settings, secret_variable


def read_secrets(channel: Channel, settings: Settings) -> list[bytes]:
    """The keys of a webhook channel, the first first; ``SettingsError`` names what is missing and shows nothing.

    A channel that names none is one to this machine; its secret is generated where there is none yet.
    """
    if not channel.part.secrets:
        return [_parsed(_generated(generated_path(channel, settings)), str(generated_path(channel, settings)), channel)]
    found = []
    for secret in channel.part.secrets:
        if secret.env is not None:
            value = secret_variable(secret.env)
            if value is None:
                raise SettingsError(f"{channel.place}: {channel.id} signs with ${secret.env}, which is not set.")
            found.append(_parsed(value.get_secret_value(), f"${secret.env}", channel))
        else:
            path = settings.run_path / (secret.file or "")
            try:
                text = path.read_text(encoding="ascii")
            except (OSError, UnicodeDecodeError) as error:
                raise SettingsError(
                    f"{channel.place}: {channel.id} signs with what is in {path}, which cannot be read: "
                    f"{getattr(error, 'strerror', None) or 'it is no text'}."
                ) from None
            found.append(_parsed(text, str(path), channel))
    return found


def generated_path(channel: Channel, settings: Settings) -> Path:
    """Where the secret of a channel that names none is kept."""
    return settings.run_path / "secrets" / channel.group


def _generated(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    if not path.exists():
        # Written beside it first: whoever finds the file finds it whole.
        beside = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(new_secret(token_bytes(SECRET_BYTES)) + "\n")
        with contextlib.suppress(FileExistsError):  # another process was quicker
            os.link(beside, path)
        beside.unlink()
    return path.read_text(encoding="ascii")


def _parsed(text: str, where: str, channel: Channel) -> bytes:
    try:
        return parse_secret(text)
    except ValueError as error:
        raise SettingsError(f"{channel.place}: the secret in {where} is not usable: {error}.") from None
