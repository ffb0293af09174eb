"""Tests of L{edgegate.observe.metrics}."""
