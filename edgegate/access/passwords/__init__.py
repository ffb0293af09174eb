"""Passwords of HTTP's basic authentication: files of their hashes, and whether one fits."""
