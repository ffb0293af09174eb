"""Tests of L{edgegate.observe.live}."""
