"""What a part does when `serve` started it: end when `serve` is gone.

`serve` holds the other end of the part's standard input and never writes; end of file means that it
has died, even by kill -9.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading


def add_flag(parser: argparse.ArgumentParser) -> None:
    """Declare the flag that `serve` passes."""
    parser.add_argument("--supervised", action="store_true", help=argparse.SUPPRESS)


def end_with_parent(args: argparse.Namespace) -> None:
    """Send SIGTERM to this process when standard input ends, if it was started by `serve`."""
    if args.supervised:
        threading.Thread(target=_watch, name="parent-watch", daemon=True).start()


def _watch() -> None:
    # The bare descriptor: a thread that waits inside sys.stdin holds its lock, and the processes that the
    # web server forks would then wait for that lock for ever.
    descriptor = sys.stdin.fileno()
    while os.read(descriptor, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
