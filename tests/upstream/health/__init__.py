"""Tests of L{edgegate.upstream.health}."""
