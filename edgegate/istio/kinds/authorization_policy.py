"""Istio's C{AuthorizationPolicy}: who may pass."""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

from msgspec import field

from edgegate.istio.kinds.base import OneOf, Spec
from edgegate.istio.kinds.telemetry import TargetReference, WorkloadSelector


class Action(Enum):
    """What becomes of what a policy matches."""

    ALLOW = "ALLOW"
    DENY = "DENY"
    AUDIT = "AUDIT"
    CUSTOM = "CUSTOM"


class ExtensionProvider(Spec, frozen=True, kw_only=True):
    """Who is asked where the action is C{CUSTOM}: an extension provider of MeshConfig."""

    name: str = ""


class Source(Spec, frozen=True, kw_only=True):
    """Where a request comes from: all fields that are given must hold."""

    principals: tuple[str, ...] = ()
    not_principals: tuple[str, ...] = ()
    request_principals: tuple[str, ...] = ()
    not_request_principals: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    not_namespaces: tuple[str, ...] = ()
    service_accounts: tuple[str, ...] = ()
    not_service_accounts: tuple[str, ...] = ()
    trust_domains: tuple[str, ...] = ()
    not_trust_domains: tuple[str, ...] = ()
    ip_blocks: tuple[str, ...] = ()
    not_ip_blocks: tuple[str, ...] = ()
    remote_ip_blocks: tuple[str, ...] = ()
    not_remote_ip_blocks: tuple[str, ...] = ()


class Operation(Spec, frozen=True, kw_only=True):
    """What a request is for: all fields that are given must hold."""

    hosts: tuple[str, ...] = ()
    not_hosts: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    not_ports: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    not_methods: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    not_paths: tuple[str, ...] = ()


class From(Spec, frozen=True, kw_only=True):
    """One source of a rule."""

    source: Source | None = None


class To(Spec, frozen=True, kw_only=True):
    """One operation of a rule."""

    operation: Operation | None = None


class Condition(Spec, frozen=True, kw_only=True):
    """One more condition of a rule."""

    key: str = ""
    values: tuple[str, ...] = ()
    not_values: tuple[str, ...] = ()


class Rule(Spec, frozen=True, kw_only=True):
    """What is matched: one of the sources, one of the operations and all other conditions."""

    from_: tuple[From, ...] = field(default=(), name="from")
    to: tuple[To, ...] = ()
    when: tuple[Condition, ...] = ()


class AuthorizationPolicy(OneOf, frozen=True, kw_only=True):
    """Who may pass at some workloads."""

    one_of: ClassVar[tuple[str, ...]] = ()

    selector: WorkloadSelector | None = None
    target_ref: TargetReference | None = None
    target_refs: tuple[TargetReference, ...] = ()
    rules: tuple[Rule, ...] = ()
    action: Action | None = None
    provider: ExtensionProvider | None = None
