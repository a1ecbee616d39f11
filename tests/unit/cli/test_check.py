from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from grantline.cli.main import main

HEADER = "User ID,Email Address,Groups\n"
ACCEPTED = {"outcome", "format", "error", "counts", "issues"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "users.csv"
    path.write_text(HEADER + 'A1,person01@example.com,"ops,dev"\n')
    return path


def test_a_clean_file(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(file)]) == 0
    text = capsys.readouterr().out
    assert "users.csv is accepted." in text
    assert "Rows: 1 read, 0 refused. Accounts: 1. Resources: 2. Entitlements: 2. Grants: 2." in text
    assert "Email Address → account.email" in text


def test_a_file_with_refused_rows(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(HEADER + "A1,bad,\nA2,,\n")
    assert main(["check", str(file)]) == 1
    text = capsys.readouterr().out
    assert "row 1, line 2: Email Address holds 'bad'" in text
    assert "some of its rows are refused" in text


def test_a_file_with_warnings_only_is_clean(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("User ID,Last Login\nA1,soon\n")
    assert main(["check", str(file)]) == 0
    assert "Warning value_invalid, 1 in all" in capsys.readouterr().out


def test_a_refused_file(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("foo,bar\n1,2\n")
    assert main(["check", str(file)]) == 2
    text = capsys.readouterr().out
    assert "[header_missing]" in text
    assert "account.id" in text


@pytest.mark.parametrize(
    "arguments",
    [["check"], ["check", "absent.csv"], ["check", "--nonsense", "x"], ["check", "FILE", "--mapping", "no"]],
)
def test_wrong_use(arguments: list[str], file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = [str(file) if word == "FILE" else word for word in arguments]
    assert main(given) == 64
    assert capsys.readouterr().out == ""


def test_the_json_object(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(file), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found.keys() >= ACCEPTED
    assert not found.keys() & {"accounts", "entitlements", "grants"}
    assert found["counts"] == {
        "rows_read": 1,
        "rows_rejected": 0,
        "accounts": 1,
        "resources": 2,
        "entitlements": 2,
        "grants": 2,
    }
    assert found["format"].keys() == {
        *("type", "delimiter", "encoding", "compression", "header_row", "sheet", "layout"),
    }


def test_rows_are_printed_where_they_are_asked_for(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(HEADER + "A1,bad,payroll\n")
    main(["check", str(file), "--json"])
    assert "record" not in json.loads(capsys.readouterr().out)["issues"][0]
    main(["check", str(file), "--json", "--rows"])
    assert json.loads(capsys.readouterr().out)["issues"][0]["record"] == [
        {"column": "User ID", "text": "x9"},
        {"column": "Email Address", "text": "bad"},
        {"column": "Groups", "text": "xxxx"},
    ]
    main(["check", str(file), "--rows"])
    assert "User ID: x9 | Email Address: bad | Groups: xxxx" in capsys.readouterr().out


def test_the_json_object_of_a_refused_file(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("")
    assert main(["check", str(file), "--json", "--records"]) == 2
    found = json.loads(capsys.readouterr().out)
    assert found.keys() >= ACCEPTED
    assert found["outcome"] == "refused"
    assert found["error"].keys() == {"code", "message", "remedy", "row", "line", "column", "cell"}
    assert set(found["counts"].values()) == {0}
    assert set(found["format"].values()) == {None}


def test_a_fall_that_is_too_big_is_said_with_what_would_go(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    earlier = file.with_name("earlier.csv")
    earlier.write_text(HEADER + "".join(f"A{n},person{n:02d}@example.com,ops\n" for n in range(1, 21)))
    assert main(["check", str(file), "--previous", str(earlier)]) == 2
    text = capsys.readouterr().out
    assert "[removal_guard]" in text
    assert "Accounts: 0 added, 19 removed, 0 changed." in text


def test_check_runs_without_django_and_network(file: Path) -> None:
    code = (
        "import sys, socket\n"
        "socket.socket.connect = None\n"
        "from grantline.cli.main import main\n"
        f"code = main(['check', {str(file)!r}, '--json'])\n"
        "assert 'django' not in sys.modules and 'psycopg' not in sys.modules and 'boto3' not in sys.modules\n"
        "sys.exit(code)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_the_machines_zone_changes_nothing(file: Path, zone: str) -> None:
    file.write_text("User ID,Last Login,Created At\nA1,2026-06-01 00:30:00,2026-06-01T00:30:00+02:00\n")
    done = subprocess.run(
        [sys.executable, "-m", "grantline.cli.main", "check", str(file), "--json", "--records"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={"TZ": zone, "PATH": "/usr/bin:/bin"},
    )
    account = json.loads(done.stdout)["accounts"][0]
    assert account["last_login_at"] == "2026-06-01T00:30:00"
    assert account["created_at"] == "2026-05-31T22:30:00Z"
