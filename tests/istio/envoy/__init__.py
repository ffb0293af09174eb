"""Tests of L{edgegate.istio.envoy}."""
