"""The CloudFormation template as the customer deploys it, then used by the product, and no further."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest
from botocore.exceptions import ClientError

from grantline.aws.external_id import new_external_id
from grantline.aws.policy_texts import render
from grantline.aws.quick_create import link_for, template
from grantline.aws.service import Credentials, s3_client, sts_client
from grantline.control.sources import rules as sources
from grantline.control.sources.models import DataSource
from grantline.jobs.installation import aws_service
from grantline.jobs.policies import wanted_policies
from grantline.jobs.requests import check_now
from tests.integration.jobs.conftest import BUCKET, World, grants_csv
from tests.ministack import MiniStack

pytestmark = [pytest.mark.django_db, pytest.mark.integration]
KEY = "access/grants.csv"
TEMPLATE_URL = "https://acme-public.s3.amazonaws.com/grantline-role.yaml"


def deployed(stack: MiniStack, source: DataSource, way: str) -> str:
    """The ARN of the role that the customer's stack makes: from the template shown, or by the link."""
    client = stack.client("cloudformation")
    wanted = wanted_policies(source)
    values: dict[str, str] = {}
    text = render("cloudformation", wanted)
    if way == "quick-create link":
        text, link = template(), link_for(wanted, TEMPLATE_URL, "us-east-1") or ""
        values = {name[6:]: value for name, value in parse_qsl(link.rpartition("?")[2]) if name.startswith("param_")}
    client.create_stack(
        StackName="grantline",
        TemplateBody=text,
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    client.get_waiter("stack_create_complete").wait(StackName="grantline", WaiterConfig={"Delay": 1, "MaxAttempts": 20})
    (found,) = client.describe_stacks(StackName="grantline")["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}
    return str(outputs["RoleArn"])


@pytest.fixture(params=["template shown", "quick-create link"])
def from_template(world: World, request: pytest.FixtureRequest) -> World:
    """The world, but with a data source whose role comes out of a stack."""
    source = sources.create(world.scope, "from a template")
    source = sources.change(world.scope, source.pk, {"bucket": BUCKET, "prefix": "access/"})
    # The world made its role under the same name: a customer has one or the other.
    iam = world.stack.client("iam")
    iam.delete_role_policy(RoleName="GrantlineIntegration", PolicyName="Permissions")
    iam.delete_role(RoleName="GrantlineIntegration")
    sources.change(world.scope, world.source.pk, {"role_arn": ""})
    arn = deployed(world.stack, source, request.param)
    sources.change(world.scope, source.pk, {"role_arn": arn})
    return World(world.stack, world.scope, DataSource.objects.get(pk=source.pk))


def as_role(world: World, external_id: str) -> Any:
    """An S3 client with all that the role allows: no session policy narrows it."""
    service = aws_service()
    answer = sts_client(service).assume_role(
        RoleArn=world.source.role_arn, RoleSessionName="test", ExternalId=external_id
    )["Credentials"]
    keys = Credentials(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"])
    return s3_client(service, keys, "us-east-1")


def test_a_role_from_the_template_is_connected_and_imported_from(from_template: World) -> None:
    check = check_now(from_template.scope, from_template.source.pk)
    assert [step["outcome"] for step in check.steps] == ["pass"] * 7, check.steps
    from_template.source.refresh_from_db()
    from_template.put(KEY, grants_csv(("U001", "L1", "Viewer")))
    assert from_template.run(from_template.make_import(KEY)).state == "published"


def test_a_role_from_the_template_can_do_nothing_else(from_template: World) -> None:
    from_template.put(KEY, b"inside")
    from_template.put("secret/keys.csv", b"outside")
    s3 = as_role(from_template, from_template.source.external_id)
    assert s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read() == b"inside"
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix="access/")["KeyCount"] == 2
    for forbidden in (
        lambda: s3.get_object(Bucket=BUCKET, Key="secret/keys.csv"),
        lambda: s3.list_objects_v2(Bucket=BUCKET, Prefix="secret/"),
        lambda: s3.list_objects_v2(Bucket=BUCKET),
        lambda: s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"changed"),
        lambda: s3.delete_object(Bucket=BUCKET, Key=KEY),
        lambda: s3.list_buckets(),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            forbidden()


def test_a_role_from_the_template_refuses_another_external_id(from_template: World) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        as_role(from_template, new_external_id())
