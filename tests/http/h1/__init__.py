"""Tests of L{edgegate.http.h1}."""
