"""Tests of L{edgegate.overload}."""
