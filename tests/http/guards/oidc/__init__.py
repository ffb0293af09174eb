"""Tests of login by OpenID Connect."""
