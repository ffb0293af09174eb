"""A Redis that edgegate's own kinds name to what connections to it are made by."""

from __future__ import annotations

from typing import Any

from edgegate.config.document import Path
from edgegate.config.problems import Problems
from edgegate.istio.kinds.redis import Redis
from edgegate.istio.resources import Resource
from edgegate.istio.translate.compile_options import CompileOptions
from edgegate.istio.validation.redis import redis_address
from edgegate.model import codes
from edgegate.model.redis import RedisServer, RedisTLS


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
            if not options.read_file(name).strip():
                resource.error(problems, place, f"{name} is empty")
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            resource.error(problems, place, f"{name} can't be read: {why}", code=codes.UNREADABLE_FILE)
        return options.locate(name)

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
