"""Failed sign-ins, counted, so that passwords cannot be tried by the thousand.

In: an e-mail address and the other end's address. Out: how long to wait. Counts live in Django's cache for
a quarter of an hour and hold digests, not addresses. Three counts stand side by side: one pair (somebody
who mistypes), one end (somebody who tries many people) and one e-mail address (many ends that try one
person); the wide ones are set high, so that nobody can lock another person out with a few requests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

from django.core.cache import cache

WINDOW_SECONDS: Final = 15 * 60
PAIR_LIMIT: Final = 10
ADDRESS_LIMIT: Final = 50
EMAIL_LIMIT: Final = 100


def must_wait(email: str, address: str) -> bool:
    """Whether too many sign-ins failed lately."""
    return any(int(cache.get(key) or 0) >= limit for key, limit in _counts(email, address))


def note_failure(email: str, address: str) -> None:
    """Count one failed sign-in; each count ends a quarter of an hour after its first failure."""
    for key, _limit in _counts(email, address):
        cache.add(key, 0, WINDOW_SECONDS)
        try:
            cache.incr(key)
        except ValueError:  # it ended between the two calls
            cache.set(key, 1, WINDOW_SECONDS)


def forget(email: str, address: str) -> None:
    """Forget the failures of a pair that has signed in."""
    key, _limit = next(_counts(email, address))
    cache.delete(key)


def _counts(email: str, address: str) -> Iterator[tuple[str, int]]:
    folded = email.strip().lower()
    yield _key("pair", f"{folded}\n{address}"), PAIR_LIMIT
    yield _key("address", address), ADDRESS_LIMIT
    yield _key("email", folded), EMAIL_LIMIT


def _key(kind: str, text: str) -> str:
    return f"sign-in:{kind}:{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:32]}"
