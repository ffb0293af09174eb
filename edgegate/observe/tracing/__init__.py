"""Traces: the context of requests, their spans, and what takes those to a collector."""
