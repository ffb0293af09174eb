"""Tests of L{edgegate.http.router}."""
