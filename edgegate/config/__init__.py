"""Istio's files as values: documents, kinds, problems. Pure."""
