"""Tests of L{edgegate.workers}."""
