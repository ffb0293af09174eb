"""Where a C{CertificateIssuer} keeps what it issues."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Final

from edgegate.config.document import Path
from edgegate.config.problems import Problems
from edgegate.istio.kinds.certificate_issuer import CertificateIssuer, CertificateStorage
from edgegate.istio.kinds.secret_source import SecretSource
from edgegate.istio.resources import Resource
from edgegate.istio.translate.compile_options import CompileOptions
from edgegate.istio.translate.redis_server import redis_server
from edgegate.model import certificates as values
from edgegate.model import codes

KEY_BYTES: Final = 32
"""Of AES-256."""

MOST_KEYS: Final = 8

KEY_ENTRIES: Final = ("key", "encryptionKey")
"""What the entry of a Secret with keys may be called."""

_DEFAULT_PREFIX: Final = "edgegate-certificates"
_PATH: Final[Path] = ("spec", "storage", "redis")

FindSecret = Callable[[Resource[CertificateIssuer], Path, SecretSource, tuple[str, ...]], tuple[bytes | None, str]]
"""Returns the content of a secret and what messages call it; C{None}: there is none, which was told."""


def storage_of(
    resource: Resource[CertificateIssuer], secret: FindSecret, options: CompileOptions, problems: Problems
) -> values.CertificateStorage | None:
    """Return where it is; L{None}: nowhere, which was told."""
    storage: CertificateStorage | None = resource.spec.storage
    if storage is None:
        return None
    redis = storage.redis
    if redis is None:
        return values.CertificateDirectory(options.locate(storage.directory)) if storage.directory else None
    server = redis_server(resource, _PATH, redis, options, problems)
    if server is None or redis.encryption_key is None:
        return None
    path = (*_PATH, "encryptionKey")
    content, name = secret(resource, path, redis.encryption_key, KEY_ENTRIES)
    if content is None:
        return None
    try:
        keys = encryption_keys(content)
    except ValueError as error:
        resource.error(problems, path, f"{name}: {error}", code=codes.BAD_CREDENTIALS)
        return None
    return values.CertificateRedis(server, redis.key_prefix or _DEFAULT_PREFIX, keys)


def encryption_keys(content: bytes) -> tuple[bytes, ...]:
    """
    Return the keys in a text: one a line, in base64; lines that are empty or begin with C{#} do not count.

    @raise ValueError: A line is none, or there is none or too many; nothing of a line is repeated.
    """
    keys = []
    for number, line in enumerate(content.splitlines(), 1):
        text = line.strip()
        if not text or text.startswith(b"#"):
            continue
        try:
            key = base64.b64decode(text.translate(bytes.maketrans(b"-_", b"+/")), validate=True)
        except binascii.Error:
            key = b""
        if len(key) != KEY_BYTES:
            raise ValueError(
                f"line {number} is no key of {KEY_BYTES} bytes in base64: openssl rand -base64 {KEY_BYTES} makes one"
            )
        keys.append(key)
    if not 1 <= len(keys) <= MOST_KEYS:
        raise ValueError(f"it holds {len(keys) or 'no'} keys, in place of 1 to {MOST_KEYS}, one a line")
    return tuple(keys)
