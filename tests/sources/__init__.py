"""Tests of L{edgegate.sources}."""
