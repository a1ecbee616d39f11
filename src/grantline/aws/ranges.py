"""A large object, read in ranges side by side and handed on in order.

In: a `Pin`. Out: the object's bytes from the first to the last, in pieces. Invariants: every range is read
under the one pin, so the whole is one version; a range that is cut is taken up where it broke; at most
`AHEAD` ranges are in memory, however slowly they are taken. The caller's thread takes the pieces, other
threads read; they end with the iterator, whatever ended it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from grantline.aws.failures import AWS_ERRORS
from grantline.aws.pinned import CHUNK_BYTES, RESUMES, Pin, pause
from grantline.errors import SourceTruncated

PARALLEL_FROM_BYTES = 64 * 1024 * 1024
"""Below this one connection is as quick: S3 gives one about 85 MB a second."""
RANGE_BYTES = 8 * 1024 * 1024
THREADS = 4
AHEAD = THREADS + 1


class RangesIgnored(Exception):
    """The store answers a range with the whole object; read it in one piece."""


def read_in_ranges(pin: Pin, range_bytes: int) -> Iterator[bytes]:
    """The object's bytes in order, one piece a range.

    Raises: `RangesIgnored` before the first piece; `SourceChanged`, `SourceTruncated`, others of the source
    tree.
    """
    size = pin.info.size_bytes
    starts = iter(range(0, size, range_bytes))
    stopped = threading.Event()
    coming: deque[Future[bytes]] = deque()
    with ThreadPoolExecutor(THREADS, thread_name_prefix="range") as pool:

        def send_for_next() -> None:
            start = next(starts, None)
            if start is not None:
                end = min(start + range_bytes, size) - 1
                coming.append(pool.submit(_read_range, pin, start, end, stopped))

        try:
            for _ in range(AHEAD):
                send_for_next()
            while coming:
                piece = coming.popleft().result()
                yield piece
                send_for_next()
        finally:
            stopped.set()
            for future in coming:
                future.cancel()


def _read_range(pin: Pin, start: int, end: int, stopped: threading.Event) -> bytes:
    """The bytes from `start` to `end`, both included."""
    wanted = end - start + 1
    piece = bytearray()
    for attempt in range(RESUMES + 1):
        if attempt:
            pause(attempt)
        if stopped.is_set():
            break
        _take(pin, start + len(piece), end, piece, stopped)
        if len(piece) == wanted:
            return bytes(piece)
        if len(piece) > wanted:
            raise SourceTruncated(f"{pin.subject}: more bytes arrived than the range that was asked for.")
    raise SourceTruncated(
        f"{pin.subject}: only {len(piece):,} of the {wanted:,} bytes from {start:,} on arrived, after "
        f"{RESUMES + 1} attempts."
    )


def _take(pin: Pin, start: int, end: int, piece: bytearray, stopped: threading.Event) -> None:
    """Append what arrives before the connection ends or breaks."""
    answer = pin.get(f"bytes={start}-{end}")
    body = answer["Body"]
    try:
        if answer["ResponseMetadata"]["HTTPStatusCode"] != 206:
            raise RangesIgnored
        while not stopped.is_set() and (chunk := body.read(CHUNK_BYTES)):
            piece += chunk
    except AWS_ERRORS:
        return
    finally:
        body.close()
