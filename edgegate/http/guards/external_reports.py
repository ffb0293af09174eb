"""What is counted and logged of services that say who may pass."""

from __future__ import annotations

from time import monotonic
from typing import Final

from twisted.logger import Logger

from edgegate.access.verdict import Outcome, Verdict
from edgegate.http.environment import HTTPEnvironment
from edgegate.model.authorizers import Authorizer
from edgegate.net.addresses import ConnectionInfo
from edgegate.observe.log_throttle import LogThrottle
from edgegate.observe.metrics.families import EXTERNAL_AUTHORIZATION

log = Logger(namespace=__name__)

_LET_PASS: Final = 3
"""Which number of the metric counts those that pass though nothing is said of them."""

_COMPLAINTS: Final = LogThrottle(10.0)


def report(environment: HTTPEnvironment, connection: ConnectionInfo, authorizer: Authorizer, verdict: Verdict) -> None:
    """Count what a check has come to, by the port and the provider, and log why it has failed, once in a while."""
    meter = connection.meter
    labels = "" if meter is None else meter.requests.labels[0], authorizer.name
    meters = environment.clusters.environment.meters
    meters.count(EXTERNAL_AUTHORIZATION, labels, verdict.outcome.value)
    if verdict.outcome is not Outcome.FAILED:
        return
    if authorizer.fail_open:
        meters.count(EXTERNAL_AUTHORIZATION, labels, _LET_PASS)
    held_back = _COMPLAINTS.due((authorizer.name, verdict.words), monotonic())
    if held_back is not None:
        log.warn(  # noqa: G010
            "the provider {provider} at {origin} does not say who may pass: {words}; {more} more before",
            provider=authorizer.name,
            origin=authorizer.origin,
            words=verdict.words,
            more=held_back,
        )
