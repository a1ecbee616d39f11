"""Failed sign-ins, counted, so that passwords and codes cannot be tried by the thousand.

In: what was tried and from where. Out: how long to wait. Counts live in Django's cache for a quarter of an
hour and hold digests, not addresses. Three counts of a password stand side by side: one pair (somebody who
mistypes), one end (somebody who tries many people) and one e-mail address (many ends that try one person);
the wide ones are set high, so that nobody can lock another person out with a few requests. The codes of a
second step are counted per person: whoever reaches them knows the password already.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from django.core.cache import cache

WINDOW_SECONDS: Final = 15 * 60
PAIR_LIMIT: Final = 10
ADDRESS_LIMIT: Final = 50
EMAIL_LIMIT: Final = 100
CODE_LIMIT: Final = 10

Counts = Sequence[tuple[str, int]]
"""Keys of counts, each with its limit; the first is the one that a success forgets."""


def password_counts(email: str, address: str) -> Counts:
    """The counts of a password tried for `email` from `address`."""
    folded = email.strip().lower()
    return (
        (_key("pair", f"{folded}\n{address}"), PAIR_LIMIT),
        (_key("address", address), ADDRESS_LIMIT),
        (_key("email", folded), EMAIL_LIMIT),
    )


def code_counts(user_id: str) -> Counts:
    """The count of codes, passkeys and passwords tried by somebody who is known already."""
    return ((_key("code", user_id), CODE_LIMIT),)


def must_wait(counts: Counts) -> bool:
    """Whether too many attempts failed lately."""
    return any(int(cache.get(key) or 0) >= limit for key, limit in counts)


def note_failure(counts: Counts) -> None:
    """Count one failed attempt; each count ends a quarter of an hour after its first failure."""
    for key, _limit in counts:
        cache.add(key, 0, WINDOW_SECONDS)
        try:
            cache.incr(key)
        except ValueError:  # it ended between the two calls
            cache.set(key, 1, WINDOW_SECONDS)


def forget(counts: Counts) -> None:
    """Forget the failures of whoever has succeeded."""
    cache.delete(counts[0][0])


def _key(kind: str, text: str) -> str:
    return f"sign-in:{kind}:{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:32]}"
