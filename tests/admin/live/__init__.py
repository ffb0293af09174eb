"""Tests of L{edgegate.admin.live}."""
