"""Tests of L{edgegate.tls.acme.solvers}."""
