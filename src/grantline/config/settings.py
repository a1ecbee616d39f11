"""The typed settings, and the only reader of the environment.

In: environment variables with the prefix `GRANTLINE_`. Out: one frozen `Settings`. A value that
cannot be used is refused at start-up with the variable's name (`SettingInvalid`), never ignored.
The Django settings (`config.django`) are made from it and carry it as `settings.GRANTLINE`; the rooms
below receive values, not this object. Secrets are excluded from its repr.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from grantline.errors import SettingInvalid

PREFIX = "GRANTLINE_"
MIB = 1024 * 1024
LIMIT_RANGES = {
    "unpacked_bytes": (MIB, 1 << 50),
    "ratio": (10, 1_000_000),
    "rows": (1, 2_000_000_000),
    "columns": (1, 16_384),
    "cell_bytes": (1024, 16 * MIB),
    "workbook_bytes": (MIB, 1 << 40),
    "workbook_cells": (1, 2_000_000_000),
    "nesting": (1, 200),
    "layers": (0, 4),
    "seconds": (1, 86_400),
}
"""Limit of one file → its smallest and largest value; each is a variable `GRANTLINE_LIMIT_<NAME>`."""
REQUIRE_MFA = ("super_administrators", "everybody", "nobody")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything an operator can set. Each field is the variable `GRANTLINE_<FIELD>`."""

    data_dir: Path
    """Folder that holds the embedded database, the versions, the spool and the secret key."""
    database_url: str | None = field(default=None, repr=False)
    """A PostgreSQL of your own (`postgresql://…`); unset: the embedded one under `data_dir`."""
    lake_url: str | None = None
    """Where the versions live; unset: `<data_dir>/lake`. A folder path or `file://` URL."""
    host: str = "127.0.0.1"
    """Address that the web server binds."""
    port: int = 8700
    """Port that the web server binds."""
    public_url: str | None = None
    """The address people open, when a proxy stands in front (`https://grantline.example.com`)."""
    secret_key: str = field(default="", repr=False)
    """Key for sessions and signatures; unset: made once and kept in `<data_dir>/secret_key`."""
    service_role_arn: str | None = None
    """ARN of the one principal that customers trust in their roles."""
    template_url: str | None = None
    """The S3 object that holds the generic CloudFormation template; unset: no quick-create link."""
    aws_endpoint_url: str | None = None
    """An S3- and STS-compatible endpoint instead of AWS: emulators, compatible stores."""
    aws_region: str = "us-east-1"
    """Region whose STS is called while a bucket's region is not known yet."""
    memory_limit_mb: int = 1024
    """Memory that DuckDB may use in one run before it spills to disk, in MiB."""
    duckdb_threads: int = 2
    """Threads that DuckDB may use in one run."""
    worker_concurrency: int = 2
    """Runs that one worker carries out side by side."""
    upload_limit_mb: int = 1024
    """Largest file taken by hand through a page or the API, in MiB."""
    spool_limit_mb: int = 16384
    """Largest object that is read from a bucket, in MiB."""
    limit_unpacked_bytes: int = 16 * 1024 * MIB
    """Bytes of a file after unpacking one layer of compression."""
    limit_ratio: int = 500
    """Unpacked bytes for each packed byte, from 16 MiB on."""
    limit_rows: int = 50_000_000
    """Records in one file."""
    limit_columns: int = 2_000
    """Columns of one file."""
    limit_cell_bytes: int = 64 * 1024
    """Bytes of one cell; a larger one is left empty, with a warning."""
    limit_workbook_bytes: int = 2 * 1024 * MIB
    """Bytes that the parts of one workbook unpack to; its sheets are held in memory."""
    limit_workbook_cells: int = 50_000_000
    """Cells in the rectangle that the filled cells of a sheet span."""
    limit_nesting: int = 64
    """Levels of a JSON document."""
    limit_layers: int = 2
    """Compressions around a file."""
    limit_seconds: int = 3600
    """Time for reading one file, in seconds."""
    row_error_share: float = 0.05
    """Share of refused rows above which a whole file is refused (0.05 is 5 %); 1 takes every file."""
    check_wait_seconds: int = 60
    """How long a connection check waits for AWS to notice a new role, in seconds."""
    minimum_interval_seconds: int = 900
    """Shortest interval of an import's schedule, in seconds (the demo uses less)."""
    token_days: int = 90
    """Days an API token is valid where its maker names none."""
    require_mfa: str = "super_administrators"
    """Whose sign-in needs a second step: `super_administrators`, `everybody` or `nobody`."""
    allow_private_issuers: bool = False
    """Let single sign-on reach identity providers at private addresses, and over http on loopback."""
    email_url: str | None = field(default=None, repr=False)
    """Mail server for notices (`smtps://user:password@mail.example.com`); unset: mails go to the log."""
    email_from: str = "grantline@localhost"
    """The address that mails come from."""
    allow_private_webhooks: bool = False
    """Let webhooks go to private addresses, and over http to loopback."""
    lost_after_seconds: int = 30
    """How long a worker may say nothing before its runs are given to others, in seconds."""
    crash_at: str = ""
    """Tests only, with `GRANTLINE_DEBUG`: the point of a run at which the process kills itself."""
    debug: bool = False
    """Development only: Django's debug pages and unhashed static files."""
    log_format: str = "text"
    """`text` for people, `json` for machines."""

    @property
    def lake_dir(self) -> Path:
        """The folder of the versions."""
        if self.lake_url is None:
            return self.data_dir / "lake"
        return Path(self.lake_url.removeprefix("file://"))

    @property
    def file_limits(self) -> dict[str, int]:
        """The limits for one file, by the names of `formats.limits.Limits`."""
        return {name: getattr(self, f"limit_{name}") for name in LIMIT_RANGES}

    @property
    def spool_dir(self) -> Path:
        """The folder for objects while they are read; emptied at start-up."""
        return self.data_dir / "spool"


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process.

    Side effects: makes the data directory and, where no key is given, the secret key's file (mode
    0600). Raises: `SettingInvalid` for an unknown variable with our prefix or a value out of range.
    """
    env = os.environ if environ is None else environ
    _refuse_unknown(env)
    data_dir = Path(env.get(PREFIX + "DATA_DIR") or _default_data_dir(env)).expanduser().absolute()
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingInvalid(f"GRANTLINE_DATA_DIR: {data_dir} cannot be made: {error.strerror}.") from error
    return Settings(
        data_dir=data_dir,
        database_url=_database_url(env),
        lake_url=_lake_url(env),
        host=env.get(PREFIX + "HOST") or Settings.host,
        port=_integer(env, "PORT", Settings.port, 1, 65535),
        public_url=_public_url(env),
        secret_key=env.get(PREFIX + "SECRET_KEY") or _kept_secret_key(data_dir),
        service_role_arn=_role_arn(env),
        template_url=_template_url(env),
        aws_endpoint_url=_endpoint_url(env),
        aws_region=env.get(PREFIX + "AWS_REGION") or Settings.aws_region,
        memory_limit_mb=_integer(env, "MEMORY_LIMIT_MB", Settings.memory_limit_mb, 128, 1 << 20),
        duckdb_threads=_integer(env, "DUCKDB_THREADS", Settings.duckdb_threads, 1, 256),
        worker_concurrency=_integer(env, "WORKER_CONCURRENCY", Settings.worker_concurrency, 1, 64),
        upload_limit_mb=_integer(env, "UPLOAD_LIMIT_MB", Settings.upload_limit_mb, 1, 1 << 20),
        spool_limit_mb=_integer(env, "SPOOL_LIMIT_MB", Settings.spool_limit_mb, 1, 1 << 24),
        **{f"limit_{name}": value for name, value in limit_values(env).items()},
        row_error_share=share_value(env),
        check_wait_seconds=_integer(env, "CHECK_WAIT_SECONDS", Settings.check_wait_seconds, 0, 300),
        minimum_interval_seconds=_integer(env, "MINIMUM_INTERVAL_SECONDS", Settings.minimum_interval_seconds, 5, 900),
        token_days=_integer(env, "TOKEN_DAYS", Settings.token_days, 1, 3650),
        require_mfa=_choice(env, "REQUIRE_MFA", Settings.require_mfa, REQUIRE_MFA),
        allow_private_issuers=_boolean(env, "ALLOW_PRIVATE_ISSUERS"),
        email_url=_email_url(env),
        email_from=env.get(PREFIX + "EMAIL_FROM", "").strip() or Settings.email_from,
        allow_private_webhooks=_boolean(env, "ALLOW_PRIVATE_WEBHOOKS"),
        lost_after_seconds=_integer(env, "LOST_AFTER_SECONDS", Settings.lost_after_seconds, 3, 3600),
        crash_at=_crash_at(env),
        debug=_boolean(env, "DEBUG"),
        log_format=_choice(env, "LOG_FORMAT", Settings.log_format, ("text", "json")),
    )


def limit_values(environ: Mapping[str, str] | None = None) -> dict[str, int]:
    """The limits of one file, without the other settings: `grantline check` needs no data directory.

    Raises: `SettingInvalid` for a value out of range.
    """
    env = os.environ if environ is None else environ
    return {
        name: _integer(env, f"LIMIT_{name.upper()}", getattr(Settings, f"limit_{name}"), low, high)
        for name, (low, high) in LIMIT_RANGES.items()
    }


def share_value(environ: Mapping[str, str] | None = None) -> float:
    """The share of refused rows above which a file is refused. Raises: `SettingInvalid`."""
    env = os.environ if environ is None else environ
    text = env.get(PREFIX + "ROW_ERROR_SHARE", "").strip()
    if not text:
        return Settings.row_error_share
    if not re.fullmatch(r"[01](\.\d{1,6})?|\.\d{1,6}", text) or float(text) > 1:
        raise SettingInvalid(f"GRANTLINE_ROW_ERROR_SHARE must be a share from 0 to 1 (0.05 is 5 %), not {text!r}.")
    return float(text)


def variable_names() -> list[str]:
    """Every environment variable that `load` reads, in the order of the fields."""
    return [PREFIX + name.upper() for name in Settings.__dataclass_fields__]


def _refuse_unknown(env: Mapping[str, str]) -> None:
    known = set(variable_names())
    for name in sorted(env):
        if name.startswith(PREFIX) and name not in known:
            raise SettingInvalid(
                f"{name} is not a setting of Grantline.",
                remedy="Remove it or correct its spelling; docs/reference/settings lists them all.",
            )


def _default_data_dir(env: Mapping[str, str]) -> str:
    base = env.get("XDG_DATA_HOME") or str(Path(env.get("HOME") or "~").expanduser() / ".local" / "share")
    return str(Path(base) / "grantline")


def _integer(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = env.get(PREFIX + name, "").strip()
    if not text:
        return default
    if not re.fullmatch(r"\d{1,16}", text) or not low <= int(text) <= high:
        raise SettingInvalid(f"{PREFIX}{name} must be a whole number from {low} to {high}, not {text!r}.")
    return int(text)


def _boolean(env: Mapping[str, str], name: str) -> bool:
    return _choice(env, name, "false", ("false", "true", "0", "1")) in ("true", "1")


def _choice(env: Mapping[str, str], name: str, default: str, choices: tuple[str, ...]) -> str:
    text = env.get(PREFIX + name, "").strip().lower()
    if not text:
        return default
    if text not in choices:
        raise SettingInvalid(f"{PREFIX}{name} must be one of {', '.join(choices)}, not {text!r}.")
    return text


def _database_url(env: Mapping[str, str]) -> str | None:
    url = env.get(PREFIX + "DATABASE_URL", "").strip()
    if url and not url.startswith(("postgresql://", "postgres://")):
        raise SettingInvalid("GRANTLINE_DATABASE_URL must begin with postgresql://; no other database is used.")
    return url or None


def _lake_url(env: Mapping[str, str]) -> str | None:
    url = env.get(PREFIX + "LAKE_URL", "").strip()
    if url and "://" in url and not url.startswith("file:///"):
        raise SettingInvalid(
            f"GRANTLINE_LAKE_URL: {url.split('://')[0]}:// is not supported by this release.",
            remedy="Give a folder (an absolute path or file:///…), or leave it unset for <data dir>/lake.",
        )
    if url and not url.removeprefix("file://").startswith("/"):
        raise SettingInvalid("GRANTLINE_LAKE_URL must be an absolute path or a file:/// URL.")
    return url or None


def _public_url(env: Mapping[str, str]) -> str | None:
    url = env.get(PREFIX + "PUBLIC_URL", "").strip().rstrip("/")
    if url and not re.fullmatch(r"https?://[^/\s]+", url):
        raise SettingInvalid("GRANTLINE_PUBLIC_URL must look like https://grantline.example.com (no path).")
    return url or None


def _endpoint_url(env: Mapping[str, str]) -> str | None:
    url = env.get(PREFIX + "AWS_ENDPOINT_URL", "").strip().rstrip("/")
    if url and not re.fullmatch(r"https?://[^/\s]+", url):
        raise SettingInvalid("GRANTLINE_AWS_ENDPOINT_URL must look like http://127.0.0.1:4566 (no path).")
    return url or None


def _role_arn(env: Mapping[str, str]) -> str | None:
    arn = env.get(PREFIX + "SERVICE_ROLE_ARN", "").strip()
    if arn and not re.fullmatch(r"arn:aws[a-z0-9-]*:iam::\d{12}:(role|user)/[\w+=,.@/-]{1,576}", arn):
        raise SettingInvalid(
            "GRANTLINE_SERVICE_ROLE_ARN must be the ARN of the role (or user) Grantline runs as, "
            f"like arn:aws:iam::111111111111:role/grantline, not {arn!r}."
        )
    return arn or None


def _template_url(env: Mapping[str, str]) -> str | None:
    url = env.get(PREFIX + "TEMPLATE_URL", "").strip()
    host, part = r"s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?", r"[\w.~%!*'()+=,@:-]+"
    bucket = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
    form = rf"https://(?:{bucket}\.{host}|{host}/{bucket})/{part}(?:/{part})*"
    if url and not re.fullmatch(form, url, re.ASCII):
        raise SettingInvalid(
            "GRANTLINE_TEMPLATE_URL must be the https URL of an object in S3, "
            f"like https://acme-public.s3.eu-west-1.amazonaws.com/grantline-role.yaml, not {url!r}.",
            remedy="CloudFormation reads templates from S3 alone; leave it unset to offer no link.",
        )
    return url or None


def _email_url(env: Mapping[str, str]) -> str | None:
    url = env.get(PREFIX + "EMAIL_URL", "").strip()
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("smtp", "smtps", "smtp+plain") and parts.hostname and parts.path in ("", "/")
        _ = parts.port
    except ValueError:
        usable = False
    if url and not usable:
        raise SettingInvalid(
            "GRANTLINE_EMAIL_URL must look like smtp://user:password@mail.example.com:587 (STARTTLS), "
            "smtps://… (TLS), or smtp+plain://… (neither; for a relay on this machine)."
        )
    return url or None


def _crash_at(env: Mapping[str, str]) -> str:
    name = env.get(PREFIX + "CRASH_AT", "").strip()
    if name and not _boolean(env, "DEBUG"):
        raise SettingInvalid(
            "GRANTLINE_CRASH_AT is for tests alone and needs GRANTLINE_DEBUG=true.", remedy="Remove GRANTLINE_CRASH_AT."
        )
    return name


def _kept_secret_key(data_dir: Path) -> str:
    """The key kept in the data directory; written whole before it has its name, so that two processes
    that start at once agree on one."""
    path = data_dir / "secret_key"
    if not path.exists():
        draft = data_dir / f".secret_key.{os.getpid()}"
        try:
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_urlsafe(48) + "\n")
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
            draft.unlink()
        except OSError as error:
            raise SettingInvalid(f"{path} cannot be written: {error.strerror}.") from error
    return path.read_text().strip()
