"""Tests of L{edgegate.tls.acme.demand}."""
