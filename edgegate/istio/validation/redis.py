"""What a Redis must be by itself, whoever names it."""

from __future__ import annotations

import re
from typing import Final

from edgegate.config.document import Path
from edgegate.config.values import show
from edgegate.istio.kinds.redis import Redis
from edgegate.istio.validation.findings import Findings
from edgegate.istio.validation.names import MAX_UNIX, UNIX, host_fault, is_address

MOST_DATABASES: Final = 2**31 - 1

_PREFIX: Final = re.compile(r"[-A-Za-z0-9_.:/]{1,64}")
_ADDRESS: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]/@]+):([0-9]{1,5})")


def redis_address(text: str) -> tuple[str, int] | None:
    """Return the host and the port of a Redis, or the path of its socket and 0; L{None}: it is neither."""
    if text.startswith(UNIX):
        path = text.removeprefix(UNIX)
        return (path, 0) if path.startswith("/") and len(path.encode()) <= MAX_UNIX else None
    found = _ADDRESS.fullmatch(text)
    if found is None or not 1 <= int(found[2]) <= 65535:
        return None
    host = found[1].strip("[]")
    if not is_address(host) and (found[1] != host or host_fault(host, wildcard=False) is not None):
        return None
    return host, int(found[2])


def check_key_prefix(findings: Findings, path: Path, prefix: str | None) -> None:
    """Keys begin with what is easily read and typed."""
    if prefix is not None and not _PREFIX.fullmatch(prefix):
        findings.error(path, f"{show(prefix)}: letters, digits and -_.:/, 64 at most")


def check_redis(findings: Findings, path: Path, redis: Redis) -> None:
    """It is somewhere, and how it is spoken to fits together."""
    address = redis_address(redis.address)
    if address is None:
        findings.error(
            (*path, "address"), f"{show(redis.address)} is neither HOST:PORT nor unix:// with an absolute path"
        )
    if redis.db is not None and redis.db > MOST_DATABASES:
        findings.error((*path, "db"), f"{redis.db} is no database")
    if redis.username is not None and redis.password_file is None:
        findings.error((*path, "username"), "a user has a password: give passwordFile")
    tls = redis.tls
    if tls is None:
        return
    if address is not None and not address[1]:
        findings.error((*path, "tls"), "not over a UNIX socket")
    if (tls.certificate_file is None) != (tls.key_file is None):
        findings.error((*path, "tls"), "certificateFile and keyFile belong together")
    if tls.server_name is not None and not is_address(tls.server_name):
        fault = host_fault(tls.server_name, wildcard=False)
        if fault is not None:
            findings.error((*path, "tls", "serverName"), fault)
