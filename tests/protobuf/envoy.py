"""
Envoy's messages for services that it asks, as the oracle of what is written and read by hand.

C{envoy.binpb} is a C{FileDescriptorSet}, in which is what C{envoy.service.auth.v3} and C{envoy.service.ratelimit.v3}
need and nothing else: made from the package xds-protos 1.85, without options and comments. The package itself has files
of opentelemetry-proto's names, so that only one of the two can be installed.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf import (
    any_pb2,
    descriptor_pb2,
    descriptor_pool,
    duration_pb2,
    message_factory,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
)

AUTH = "envoy.service.auth.v3"
RATE_LIMIT = "envoy.service.ratelimit.v3"


@cache
def _pool() -> descriptor_pool.DescriptorPool:
    pool = descriptor_pool.DescriptorPool()
    for known in (any_pb2, duration_pb2, struct_pb2, timestamp_pb2, wrappers_pb2):
        pool.AddSerializedFile(known.DESCRIPTOR.serialized_pb)
    files = descriptor_pb2.FileDescriptorSet.FromString((Path(__file__).with_name("envoy.binpb")).read_bytes())
    for each in files.file:
        pool.AddSerializedFile(each.SerializeToString())
    return pool


@cache
def message_class(name: str) -> Any:
    """Return the class of a message, by its full name."""
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(name))
