"""Tests of L{edgegate.access.rate_limits}."""
