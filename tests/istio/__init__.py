"""Tests of L{edgegate.istio}."""
