"""The options of C{twistd edgegate} that say how requests are traced, until files can."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from edgegate.model.collector_url import collector_url
from edgegate.model.tracing import SAMPLING, SERVICE, Propagation, SpanFormat, Tracing, TracingProvider

PARAMETERS = [
    [
        "trace-otlp",
        None,
        None,
        "URL of a collector that takes traces by OTLP over HTTP, such as http://127.0.0.1:4318; without a path it gets "
        "/v1/traces. By default nothing is traced.",
    ],
    [
        "trace-zipkin",
        None,
        None,
        "The same of one that takes Zipkin's JSON; without a path it gets /api/v2/spans.",
    ],
    [
        "trace-sampling",
        None,
        f"{SAMPLING:g}",
        "Percent of the requests that are traced, 0 to 100, of those that come without a decision.",
    ],
    ["trace-service", None, SERVICE, "The name of the service that traces and collected logs show."],
    [
        "trace-propagation",
        None,
        None,
        "Headers by which traces go on: w3c, b3, b3-w3c, or none, where backends are told nothing. [default: w3c, and "
        "b3 with --trace-zipkin]",
    ],
]

_PATHS = {SpanFormat.OTLP: "/v1/traces", SpanFormat.ZIPKIN: "/api/v2/spans"}
_TIMEOUTS = {SpanFormat.OTLP: 10.0, SpanFormat.ZIPKIN: 5.0}
"""Seconds that a collector has for a batch; Istio's."""

_SHARE = re.compile(r"[0-9]{1,3}(\.[0-9]{1,2})?", re.ASCII)
_NONE = "none"


def tracing(options: Mapping[str, Any]) -> Tracing | None:
    """
    Return how requests are traced; L{None}: they are not.

    @param options: C{locality} is one of them, read already.
    @raise ValueError: One of them is wrong.
    """
    percent, service = _percent(options["trace-sampling"]), options["trace-service"]
    if not service:
        raise ValueError("--trace-service is a name")
    given = {SpanFormat.OTLP: options["trace-otlp"], SpanFormat.ZIPKIN: options["trace-zipkin"]}
    wanted = [each for each, url in given.items() if url]
    if len(wanted) > 1:
        raise ValueError("--trace-otlp and --trace-zipkin: traces go to one collector")
    chosen = options["trace-propagation"]
    if chosen is not None and not wanted:
        raise ValueError("--trace-propagation needs --trace-otlp or --trace-zipkin: without them nothing is traced")
    if not wanted:
        return None
    (form,) = wanted
    try:
        url = collector_url(given[form], _PATHS[form])
    except ValueError as error:
        raise ValueError(f"--trace-{form.value}: {error}") from None
    provider = TracingProvider(form, url, _propagation(chosen, form), _TIMEOUTS[form])
    return Tracing(
        provider,
        percent,
        propagates=chosen != _NONE,
        service=service,
        node=os.uname().nodename,
        zone=[*options["locality"].split("/"), ""][1],
    )


def _propagation(chosen: str | None, form: SpanFormat) -> Propagation:
    if chosen is None or chosen == _NONE:
        return Propagation.W3C if form is SpanFormat.OTLP else Propagation.B3
    try:
        return Propagation(chosen)
    except ValueError:
        known = ", ".join(each.value for each in Propagation)
        raise ValueError(f"--trace-propagation is one of {known}, none") from None


def _percent(text: str) -> float:
    if _SHARE.fullmatch(text) is None or float(text) > 100:
        raise ValueError(f"--trace-sampling: expected percent from 0 to 100 with two decimals at most, got {text!r}")
    return float(text)
