"""Certificates on demand: of names that come with a ClientHello, and that no file says."""
