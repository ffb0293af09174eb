"""The options of C{twistd edgegate} that say how requests are traced; each wins over what files say of the same."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from edgegate.model.collector_url import collector_url
from edgegate.model.tracing import (
    COLLECTOR_PATHS,
    COLLECTOR_TIMEOUTS,
    SAMPLING,
    SERVICE,
    Propagation,
    SpanFormat,
    TracingProvider,
)
from edgegate.observe.tracing.wanted import TracingOptions

PARAMETERS = [
    [
        "trace-otlp",
        None,
        None,
        "URL of a collector that takes traces by OTLP over HTTP, such as http://127.0.0.1:4318; without a path it gets "
        "/v1/traces. By default files say where traces go, by Telemetry and MeshConfig; where they do not, nothing is "
        "traced.",
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
        None,
        "Percent of the requests that are traced, 0 to 100, of those that come without a decision. [default: as files "
        f"say, else {SAMPLING:g}]",
    ],
    [
        "trace-service",
        None,
        None,
        f"The name of the service that traces and collected logs show. [default: {SERVICE}]",
    ],
    [
        "trace-propagation",
        None,
        None,
        "Headers by which traces go on: w3c, b3, b3-w3c, or none, where backends are told nothing. [default: as files "
        "say where spans go as they say, else w3c, and b3 with --trace-zipkin]",
    ],
]

_SHARE = re.compile(r"[0-9]{1,3}(\.[0-9]{1,2})?", re.ASCII)
_NONE = "none"


def tracing(options: Mapping[str, Any]) -> TracingOptions:
    """
    Return what options say of traces.

    @param options: C{locality} is one of them, read already.
    @raise ValueError: One of them is wrong.
    """
    percent, service = options["trace-sampling"], options["trace-service"]
    sampling = None if percent is None else _percent(percent)
    if service == "":
        raise ValueError("--trace-service is a name")
    given = {SpanFormat.OTLP: options["trace-otlp"], SpanFormat.ZIPKIN: options["trace-zipkin"]}
    wanted = [each for each, url in given.items() if url]
    if len(wanted) > 1:
        raise ValueError("--trace-otlp and --trace-zipkin: traces go to one collector")
    provider = None
    for form in wanted:
        try:
            url = collector_url(given[form], COLLECTOR_PATHS[form])
        except ValueError as error:
            raise ValueError(f"--trace-{form.value}: {error}") from None
        propagation = Propagation.W3C if form is SpanFormat.OTLP else Propagation.B3
        provider = TracingProvider(form, url, propagation, COLLECTOR_TIMEOUTS[form])
    chosen = options["trace-propagation"]
    return TracingOptions(
        provider,
        sampling,
        service,
        _propagation(chosen),
        None if chosen is None else chosen != _NONE,
        node=os.uname().nodename,
        zone=[*options["locality"].split("/"), ""][1],
    )


def _propagation(chosen: str | None) -> Propagation | None:
    if chosen is None or chosen == _NONE:
        return None
    try:
        return Propagation(chosen)
    except ValueError:
        known = ", ".join(each.value for each in Propagation)
        raise ValueError(f"--trace-propagation is one of {known}, none") from None


def _percent(text: str) -> float:
    if _SHARE.fullmatch(text) is None or float(text) > 100:
        raise ValueError(f"--trace-sampling: expected percent from 0 to 100 with two decimals at most, got {text!r}")
    return float(text)
