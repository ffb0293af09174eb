"""Istio's kinds: their fields, their validation, and their translation."""
