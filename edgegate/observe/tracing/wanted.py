"""How requests are traced: each thing as an option says, else as the files do, else as it is by default."""

from __future__ import annotations

from dataclasses import dataclass, replace

from edgegate.model.tracing import (
    ISTIO_TAGS,
    SAMPLING,
    SERVICE,
    TAG_LENGTH,
    DeclaredTracing,
    Propagation,
    Tracing,
    TracingProvider,
)


@dataclass(frozen=True, slots=True)
class TracingOptions:
    """
    What options say. What they leave open is L{None}, or empty.

    @ivar provider: Where spans go, whatever the files say.
    @ivar propagates: Whether backends are told of traces.
    @ivar node: What tells this gateway from others.
    @ivar zone: Where it is.
    """

    provider: TracingProvider | None = None
    sampling: float | None = None
    service: str | None = None
    propagation: Propagation | None = None
    propagates: bool | None = None
    node: str = ""
    zone: str = ""


def wanted_tracing(asked: TracingOptions, declared: DeclaredTracing | None) -> Tracing | None:
    """
    Return how requests are traced; L{None}: they are not.

    @param declared: What the files say; L{None}: nothing.
    """
    said = DeclaredTracing() if declared is None else declared
    provider, propagates = asked.provider, True
    if provider is None and not said.disabled:
        provider, propagates = said.provider, said.propagates
    if provider is None:
        return None
    if asked.propagation is not None:
        provider = replace(provider, propagation=asked.propagation)
    sampling = said.sampling if asked.sampling is None else asked.sampling
    return Tracing(
        provider,
        SAMPLING if sampling is None else sampling,
        by_request_id=said.by_request_id,
        propagates=propagates if asked.propagates is None else asked.propagates,
        service=SERVICE if asked.service is None else asked.service,
        tag_length=TAG_LENGTH if said.tag_length is None else said.tag_length,
        node=asked.node,
        zone=asked.zone,
        tags=said.tags,
        istio_tags=ISTIO_TAGS if said.istio_tags else (),
    )
