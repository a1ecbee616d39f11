"""Role ARNs: what is taken, and what each wrong paste is called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grantline.aws.arns import kms_key_region, parse_role_arn, validate_kms_key_arn
from grantline.errors import InputInvalid

GOOD = "arn:aws:iam::222222222222:role/GrantlineIntegration"


def refusal(text: str, **own: str) -> InputInvalid:
    with pytest.raises(InputInvalid) as refused:
        parse_role_arn(text, **own)
    assert refused.value.field == "role_arn"
    assert refused.value.remedy
    return refused.value


def test_role_arn_is_taken_apart() -> None:
    role = parse_role_arn(GOOD)
    assert (role.partition, role.account, role.path, role.name) == (
        "aws",
        "222222222222",
        "/",
        "GrantlineIntegration",
    )
    assert str(role) == role.text == GOOD


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso-b"])
def test_every_partition_and_a_path_are_taken(partition: str) -> None:
    role = parse_role_arn(f"arn:{partition}:iam::222222222222:role/teams/data+1/Read=er@x,y.z-1_")
    assert (role.partition, role.path, role.name) == (partition, "/teams/data+1/", "Read=er@x,y.z-1_")


@pytest.mark.parametrize("around", ["  {}\n", "\u00a0{}\t", "\u200b{}\ufeff"])
def test_what_copying_brings_along_is_dropped(around: str) -> None:
    assert parse_role_arn(around.format(GOOD)).text == GOOD


def test_lengths_are_those_of_iam() -> None:
    base = "arn:aws:iam::222222222222:role"
    assert parse_role_arn(f"{base}/{'n' * 64}").name == "n" * 64
    assert parse_role_arn(f"{base}/{'p' * 510}/r").path == f"/{'p' * 510}/"
    refusal(f"{base}/{'n' * 65}")
    refusal(f"{base}/{'p' * 511}/r")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "No role ARN"),
        ("222222222222", "account id"),
        ("2222-2222-2222", "account id"),
        ("GrantlineIntegration", "role's name alone"),
        ("gl_abcdefghijklmnopqrstuvwxyz234567", "External ID"),
        ("AKIAABCDEFGHIJKLMNOP", "a key or an id"),
        ("https://console.aws.amazon.com/iam/home#/roles/x", "address of a page"),
        ("arn:aws:iam::222222222222:user/anna", "an IAM user"),
        ("arn:aws:iam::222222222222:group/readers", "an IAM group"),
        ("arn:aws:iam::222222222222:policy/GrantlinePermissions", "an IAM policy"),
        ("arn:aws:iam::222222222222:instance-profile/x", "an instance profile"),
        ("arn:aws:iam::222222222222:oidc-provider/x", "OpenID"),
        ("arn:aws:iam::222222222222:root", "whole account"),
        ("arn:aws:iam::222222222222:role/", "before the role's name"),
        ("arn:aws:iam::222222222222:role", "before the role's name"),
        ("arn:aws:iam::222222222222:role/aws-service-role/x.amazonaws.com/y", "service-linked"),
        ("arn:aws:iam::222222222222:role/a b", "a space"),
        ("arn:aws:iam::222222222222:role/a\u200bb", "invisible"),
        ("arn:aws:iam::222222222222:role/*", "cannot be a role's name"),
        ("arn:aws:iam::222222222222:role//x", "path"),
        ("arn:aws:iam::22222222222:role/x", "12 digits"),
        ("arn:aws:iam:::role/x", "missing"),
        ("arn:aws:iam::２２２２２２２２２２２２:role/x", "12 digits"),
        ("arn:aws:iam:eu-west-1:222222222222:role/x", "names a region"),
        ("arn:aws:s3:::acme-exports", "a bucket"),
        ("arn:aws:sqs:eu-west-1:222222222222:queue", "service sqs"),
        ("arn:aws:iam::222222222222", "cut short"),
        ("arn:azure:iam::222222222222:role/x", "does not begin with arn:aws"),
        ("ARN:AWS:IAM::222222222222:ROLE/X", "does not begin with arn:aws"),
        ("a" * 3000, "3,000 characters"),
    ],
)
def test_wrong_paste_is_called_what_it_is(text: str, words: str) -> None:
    assert words in refusal(text).message


def test_session_of_a_role_is_answered_with_the_roles_arn() -> None:
    error = refusal("arn:aws-cn:sts::222222222222:assumed-role/Reader/anna")
    assert "session of a role" in error.message
    assert "arn:aws-cn:iam::222222222222:role/Reader" in (error.remedy or "")


def test_grantlines_own_account_and_other_partitions_are_refused() -> None:
    assert "Grantline's own" in refusal(GOOD, own_account="222222222222").message
    assert "across partitions" in refusal(GOOD, own_partition="aws-cn").message
    assert parse_role_arn(GOOD, own_account="111111111111", own_partition="aws").text == GOOD


@given(st.text(max_size=200))
def test_any_text_is_either_refused_or_comes_back_unchanged(text: str) -> None:
    try:
        role = parse_role_arn("arn:aws:iam::222222222222:role/" + text)
    except InputInvalid as error:
        message = error.message
    else:
        message = role.text
        assert role.text == f"arn:aws:iam::222222222222:role{role.path}{role.name}"
    assert message.isprintable()


def test_kms_key_arn() -> None:
    arn = "arn:aws:kms:eu-west-1:222222222222:key/00000000-0000-0000-0000-000000000000"
    assert validate_kms_key_arn(f" {arn} ") == arn
    assert kms_key_region(arn) == "eu-west-1"
    for wrong, words in (
        ("arn:aws:kms:eu-west-1:222222222222:alias/exports", "alias"),
        ("1234", "is not a KMS key's ARN"),
        (arn + "*", "is not a KMS key's ARN"),
    ):
        with pytest.raises(InputInvalid, match=words) as refused:
            validate_kms_key_arn(wrong)
        assert refused.value.field == "kms_key_arn"
