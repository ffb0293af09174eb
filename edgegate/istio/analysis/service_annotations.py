"""Annotations of Services that Istio gives a meaning, by its own list (C{annotation/annotations.yaml} of istio/api)."""

from __future__ import annotations

from collections.abc import Iterator

from edgegate.config.problems import Severity
from edgegate.config.values import show, suggestion
from edgegate.istio.analysis.context import Context, annotations_of
from edgegate.istio.analysis.finding import Finding
from edgegate.istio.decode import INGRESS_CLASS, is_istios
from edgegate.model import codes

_OF_SERVICES = frozenset(
    (
        "galley.istio.io/analyze-suppress",
        "gateway.istio.io/controller-version",
        "install.operator.istio.io/chart-owner",
        "install.operator.istio.io/owner-generation",
        "install.operator.istio.io/version",
        "networking.istio.io/exportTo",
        "networking.istio.io/traffic-distribution",
    )
)
_DEPRECATED = frozenset(("alpha.istio.io/canonical-serviceaccounts", "alpha.istio.io/kubernetes-serviceaccounts"))
"""Of Services, too."""

_ELSEWHERE = {
    "AuthorizationPolicy": ("istio.io/dry-run",),
    "Gateway": (
        "gateway.istio.io/name-override",
        "gateway.istio.io/service-account",
        "internal.istio.io/gateway-service",
        "networking.istio.io/address-type",
        "networking.istio.io/service-type",
    ),
    "Ingress": (INGRESS_CLASS,),
    "Namespace": ("topology.istio.io/controlPlaneClusters",),
    "Node": ("traffic.istio.io/nodeSelector",),
    "WorkloadEntry": (
        "istio.io/autoRegistrationGroup",
        "istio.io/connectedAt",
        "istio.io/disconnectedAt",
        "istio.io/workloadController",
    ),
}
_KINDS = {name: kind for kind, names in _ELSEWHERE.items() for name in names}

_OF_PODS = (
    ("ambient.istio.io", "bypass-inbound-capture redirection dns-capture waypoint-inbound-binding"),
    ("alpha.istio.io", "identity"),
    ("inject.istio.io", "templates"),
    ("istio.io", "rev"),
    ("prometheus.istio.io", "merge-metrics"),
    ("proxy.istio.io", "config overrides"),
    ("readiness.status.sidecar.istio.io", "applicationPorts failureThreshold initialDelaySeconds periodSeconds"),
    (
        "sidecar.istio.io",
        "agentLogLevel bootstrapOverride componentLogLevel controlPlaneAuthPolicy discoveryAddress enableCoreDump "
        "extraStatTags inject interceptionMode logLevel nativeSidecar proxyCPU proxyCPULimit proxyImage proxyImageType "
        "proxyMemory proxyMemoryLimit rewriteAppHTTPProbers statsCompression statsHistogramBuckets "
        "statsInclusionPrefixes statsInclusionRegexps statsInclusionSuffixes status userVolume userVolumeMount",
    ),
    ("status.sidecar.istio.io", "port"),
    (
        "traffic.sidecar.istio.io",
        "excludeInboundPorts excludeInterfaces excludeOutboundIPRanges excludeOutboundPorts includeInboundPorts "
        "includeOutboundIPRanges includeOutboundPorts kubevirtInterfaces",
    ),
)
_KINDS.update({f"{domain}/{name}": "Pod" for domain, names in _OF_PODS for name in names.split()})


def unknown_or_misplaced(context: Context) -> Iterator[Finding]:
    """
    Yield annotations of Services that Istio does not know, has no use for there, or gives up.

    Istio looks at Namespaces, Pods and Deployments as well, which are not read.
    """
    for service in context.resources.services:
        for name in annotations_of(service):
            where = ("metadata", "annotations", name)
            if name in _OF_SERVICES or not is_istios(name):
                continue
            if name in _DEPRECATED:
                message = "Istio gives this annotation up"
                yield Finding(service, where, codes.DEPRECATED_ANNOTATION, message, Severity.INFO)
            elif name in _KINDS:
                message = f"it changes nothing on a Service: Istio reads it on a {_KINDS[name]}"
                yield Finding(service, where, codes.MISPLACED_ANNOTATION, message)
            else:
                message = f"Istio has no annotation {show(name)}, so it changes nothing{suggestion(name, _OF_SERVICES)}"
                yield Finding(service, where, codes.UNKNOWN_ANNOTATION, message)
