"""Tests for L{edgegate.istio.schema}."""
