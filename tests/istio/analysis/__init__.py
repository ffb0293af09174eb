"""Tests of L{edgegate.istio.analysis}."""
