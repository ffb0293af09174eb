"""Tests of L{edgegate.server}."""
