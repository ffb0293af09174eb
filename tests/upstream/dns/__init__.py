"""Tests of L{edgegate.upstream.dns.resolutions}."""
