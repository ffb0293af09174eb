"""Tests of L{edgegate.http.filters}."""
