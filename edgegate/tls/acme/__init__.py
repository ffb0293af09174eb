"""Certificates that are issued by ACME (RFC 8555): when, by what conversation, and where they are kept."""
