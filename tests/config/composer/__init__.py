"""Tests of L{edgegate.config.composer}."""
