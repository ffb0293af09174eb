"""Requests and what is expected of each, run against files."""
