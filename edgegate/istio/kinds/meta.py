"""What all objects of Kubernetes have in common."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from edgegate.istio.kinds.base import Spec

S = TypeVar("S", bound=Spec)


class ObjectMeta(Spec, frozen=True, kw_only=True):
    """The names in C{metadata}. L{edgegate.config.envelope} has read what is of use."""

    name: Any = None
    generate_name: Any = None
    namespace: Any = None
    labels: Any = None
    annotations: Any = None
    creation_timestamp: Any = None
    deletion_grace_period_seconds: Any = None
    deletion_timestamp: Any = None
    finalizers: Any = None
    generation: Any = None
    managed_fields: Any = None
    owner_references: Any = None
    resource_version: Any = None
    self_link: Any = None
    uid: Any = None


class Object(Spec, frozen=True, kw_only=True):
    """A whole document."""

    api_version: Any = None
    kind: Any = None
    metadata: ObjectMeta | None = None


class Described(Object, Generic[S], frozen=True, kw_only=True):
    """A whole document of the kind that says what is wanted in C{spec}, and what is in C{status}."""

    spec: S | None = None
    status: Any = None
