"""Limits on how often: token buckets, and of which a request takes. Pure: no clock, no I/O."""
