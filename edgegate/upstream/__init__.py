"""Backends: clusters, their endpoints, balancing, pools and name resolution."""
