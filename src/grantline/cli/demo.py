"""`grantline demo`: the whole job on a local AWS, then the site to look at.

`--once` does the job, prints a JSON summary as its last line and exits; without it the site is served
until Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path

from grantline.errors import InputInvalid

DEFAULT_PORT = 8700
MARK = ".grantline-demo"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the verb."""
    parser = subparsers.add_parser("demo", help="the whole job on a local AWS, then the site to look at")
    parser.add_argument("--once", action="store_true", help="print a JSON summary as the last line and exit")
    parser.add_argument("--data-dir", type=Path, help="folder for the demo; what an earlier demo left is removed")
    parser.add_argument("--port", type=int, help=f"port of the site (default: {DEFAULT_PORT}, or the next free one)")


def run(args: argparse.Namespace) -> int:
    """Run the demo. Raises: `InputInvalid`, `InstallationError`."""
    from grantline.demo.story import Story, demo, tell

    signal.signal(signal.SIGTERM, _interrupt)
    data_dir, temporary = _data_dir(args)
    story = Story(say=lambda words: print(words, file=sys.stderr if args.once else sys.stdout, flush=True))
    try:
        begun = time.monotonic()
        with demo(story, data_dir, _port(args.port)) as up:
            tell(story, up)
            story.seconds["total"] = round(time.monotonic() - begun, 3)
            if not args.once:
                _serve(up.product.url, up.password, data_dir)
    except KeyboardInterrupt:
        print("The demo has stopped.", file=sys.stderr)
        return 0
    finally:
        if temporary:
            shutil.rmtree(data_dir, ignore_errors=True)
    print(json.dumps(story.summary()), flush=True)
    return 0


def _serve(url: str, password: str, data_dir: Path) -> None:
    from grantline.demo.product import EMAIL

    (data_dir / "demo-sign-in.json").write_text(json.dumps({"url": url, "email": EMAIL, "password": password}))
    print(
        f"\nThe demo is ready.\n\n  Open      {url}\n  E-mail    {EMAIL}\n  Password  {password}\n\n"
        "No second step is asked for here (GRANTLINE_REQUIRE_MFA=nobody); by default Super Administrators need one.\n"
        "The applications look into the bucket every 10 seconds. Stop with Ctrl-C.",
        flush=True,
    )
    while True:
        time.sleep(3600)


def _data_dir(args: argparse.Namespace) -> tuple[Path, bool]:
    """The demo's folder, empty, and whether it is removed at the end."""
    if args.data_dir is None and args.once:
        return Path(tempfile.mkdtemp(prefix="grantline-demo-")), True
    folder: Path = (args.data_dir or Path("var") / "demo").absolute()
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).exists():
            raise InputInvalid(
                f"{folder} is not empty and was not made by a demo, so it is left alone.",
                remedy="Give --data-dir a new or empty folder.",
            )
        _refuse_in_use(folder)
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).touch()
    return folder, False


def _refuse_in_use(folder: Path) -> None:
    from grantline.cli.serve import one_per_data_directory
    from grantline.config.settings import Settings

    with one_per_data_directory(Settings(data_dir=folder)):
        pass


def _port(wanted: int | None) -> int:
    from grantline.demo.cloud import free_port

    if wanted is None:
        return DEFAULT_PORT if _is_free(DEFAULT_PORT) else free_port()
    if not 1 <= wanted <= 65535:
        raise InputInvalid(f"{wanted} is not a port; ports are 1 to 65535.", field="port")
    if not _is_free(wanted):
        raise InputInvalid(
            f"Another program listens on port {wanted}.",
            field="port",
            remedy="Give --port another one, or leave it out.",
        )
    return wanted


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
