"""Names of sessions."""

import re

import pytest

from grantline.aws.sessions import session_name


@pytest.mark.parametrize("subject", ["", "run_01", "ü ß/\n", "x" * 300, "a:b"])
def test_session_name_is_one_that_aws_takes(subject: str) -> None:
    assert re.fullmatch(r"[\w+=,.@-]{2,64}", session_name(subject), re.ASCII)


def test_session_name_shows_the_run() -> None:
    assert session_name("run_01") == "grantline-run_01"
