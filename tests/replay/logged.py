"""Logs that real programs wrote, of the same requests, and what was asked."""

from __future__ import annotations

from pathlib import Path

LOGS = Path(__file__).parent / "logs"

QUERY = b"GET", b"/cart", b"?x=1&y=2", b"curl/8.5.0"
QUOTES = b"GET", b'/a"b\\c', b'?q="z"', b'a "quoted" \\ agent'
BYTES = b"GET", b"/missing", b"", "über\tmensch".encode()

EDGEGATE = (
    b'[2026-03-01T12:00:00.082Z] "GET /api/catalog?x=1 HTTP/1.1" 200 - via_upstream - "-" 0 357 9 7 "10.0.0.9" '
    b'"%s" "693bb3ac-4ad5-4986-9759-b309b682fc52" "webapp.example" "10.1.0.1:8080" '
    b"outbound|80||webapp.default.svc.cluster.local 10.1.0.254:33000 10.0.0.1:8080 10.0.0.9:4000 - webapp\n"
)
"""A line of edgegate's, and of Istio's, with a place for the user agent."""

ENVOY = (
    b'[2026-03-01T12:00:00.082Z] "POST /api/v1/locations HTTP/2" 204 - 154 0 226 100 "10.0.35.28" "%s" '
    b'"cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "locations" "tcp://10.0.2.1:80"\n'
)
"""A line of Envoy's default, as its documentation shows it."""


def lines(name: str) -> list[bytes]:
    """Return the lines of a log."""
    return (LOGS / name).read_bytes().splitlines(keepends=True)
