"""Tests of L{edgegate.protobuf}."""
