"""Tests of the access logs that files and options ask for."""
