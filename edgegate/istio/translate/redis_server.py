"""A Redis that edgegate's own kinds name to what connections to it are made by."""

from __future__ import annotations

from typing import Any

from edgegate.config.document import Path
from edgegate.config.problems import Problems, Role
from edgegate.istio.kinds.redis import Redis
from edgegate.istio.resources import Resource
from edgegate.istio.translate.compile_options import CompileOptions
from edgegate.istio.validation.redis import redis_address
from edgegate.model import codes
from edgegate.model.redis import RedisServer, RedisTLS
from edgegate.model.tls import UpstreamTLS


def redis_server(
    resource: Resource[Any], path: Path, redis: Redis, options: CompileOptions, problems: Problems
) -> RedisServer | None:
    """
    Return the Redis; files that it names and that can't be read are reported.

    @param path: Of the field that names it.
    @return: L{None}: its address is none, which was told.
    """

    def file(place: Path, name: str | None) -> str | None:
        """Return where a file lies that connections are made with; it is there by now, and has something in it."""
        if name is None:
            return None
        try:
            content = options.read_file(name)
            if not content.strip():
                resource.error(problems, place, f"{name} is empty")
            elif place[-1] == "caFile":
                look_at(content, name, place)
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            resource.error(problems, place, f"{name} can't be read: {why}", code=codes.UNREADABLE_FILE)
        return options.locate(name)

    def look_at(authorities: bytes, name: str, place: Path) -> None:
        """Report what is wrong with authorities: as long as it is so, no connection is made."""
        for finding in options.inspect_upstream(UpstreamTLS(authorities=authorities), None):
            code = codes.CERTIFICATE_TIME if finding.role is Role.TIME else codes.BAD_KEY_MATERIAL
            message = f"{name}: {finding.message}"
            resource.document.problem(problems, finding.severity, place, message, finding.role, code)

    address = redis_address(redis.address)
    if address is None:
        return None
    tls = None
    if redis.tls is not None:
        inner = (*path, "tls")
        tls = RedisTLS(
            redis.tls.server_name or address[0],
            file((*inner, "caFile"), redis.tls.ca_file),
            file((*inner, "certificateFile"), redis.tls.certificate_file),
            file((*inner, "keyFile"), redis.tls.key_file),
        )
    password = file((*path, "passwordFile"), redis.password_file)
    return RedisServer(*address, redis.db or 0, redis.username, password, tls)
