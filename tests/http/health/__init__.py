"""Tests of L{edgegate.http.h2}."""
