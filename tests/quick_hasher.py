"""Passwords of tests, hashed as the product hashes them but at the least cost that Argon2 allows.

The product's own cost is a tenth of a second for each, which a thousand tests would spend on nothing. Tests
that run real processes (acceptance, e2e) have the product's.
"""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickHasher(Argon2PasswordHasher):
    """Argon2id with one pass over eight kibibytes."""

    time_cost = 1
    memory_cost = 8
    parallelism = 1
