"""All cases, by part."""

from __future__ import annotations

from tests.acceptance.conformance import compression, connections, frames, generic, newer, newer_requests, requests
from tests.acceptance.conformance.exchange import Case


def suites(scheme: str) -> dict[str, list[Case]]:
    """Return the parts of the suite, for a port with TLS or without."""
    return {
        "generic": generic.cases(scheme),
        "http2": [*connections.cases(scheme), *frames.cases(scheme), *requests.cases(scheme)],
        "hpack": compression.cases(scheme),
        "newer": newer.cases(scheme),
        "requests": newer_requests.cases(scheme),
    }
