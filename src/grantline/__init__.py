"""Grantline: who has access to what, straight from the access exports in S3."""

__version__ = "0.1.0"
