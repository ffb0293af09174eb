"""Tests of L{edgegate.sources.files}."""
