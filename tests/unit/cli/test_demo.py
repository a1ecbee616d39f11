"""The demo's last screen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grantline.cli import demo


def test_the_last_screen_says_how_to_sign_in_and_that_no_second_step_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo.time, "sleep", stop)

    with pytest.raises(KeyboardInterrupt):
        demo._serve("http://127.0.0.1:8700", "a password", tmp_path)

    said = capsys.readouterr().out
    assert "a password" in said
    assert "GRANTLINE_REQUIRE_MFA=nobody" in said
    assert json.loads((tmp_path / "demo-sign-in.json").read_text())["email"] in said
