"""Every state of a data source has its sentence, and a way on."""

from __future__ import annotations

import pytest
from django.utils import timezone

from grantline.control.sources.models import DataSource, SourceState
from grantline.web.sources.states import SourceCard, place, state_sentence
from grantline.web.sources.steps import resume_step


@pytest.mark.parametrize("state", list(SourceState))
def test_every_state_has_a_sentence_of_its_own(state: SourceState) -> None:
    sentences = {known: state_sentence(DataSource(state=known.value)) for known in SourceState}

    assert sentences[state].endswith(".")
    assert list(sentences.values()).count(sentences[state]) == 1


def test_a_trusted_role_that_cannot_read_is_told_from_one_that_is_not_trusted() -> None:
    trusted = DataSource(state="needs_attention", verified_at=timezone.now())

    assert state_sentence(trusted) != state_sentence(DataSource(state="needs_attention"))


@pytest.mark.parametrize(
    ("values", "step"),
    [
        ({}, "external-id"),
        ({"bucket": "b"}, "role"),
        ({"role_arn": "arn"}, "connect"),
        ({"role_arn": "arn", "bucket": "b", "state": "needs_attention"}, "connect"),
        ({"role_arn": "arn", "bucket": "b", "state": "connected"}, "first-import"),
    ],
)
def test_resume_step_is_the_first_that_is_not_done(values: dict[str, str], step: str) -> None:
    assert resume_step(DataSource(**values)) == step


def test_a_card_is_a_draft_until_the_first_check_has_ended() -> None:
    assert SourceCard(DataSource()).is_draft
    assert SourceCard(DataSource()).href.endswith("/setup")
    assert not SourceCard(DataSource(checked_at=timezone.now())).is_draft


def test_place_is_an_address_or_nothing() -> None:
    assert place(DataSource(bucket="acme-exports", prefix="hr/")) == "s3://acme-exports/hr/"
    assert place(DataSource(prefix="hr/")) == ""
