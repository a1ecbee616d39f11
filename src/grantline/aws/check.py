"""The connection check: seven steps that say whether a role, a bucket and a prefix can be trusted and read.

In: what a person entered. Out: one `CheckStep` after the other, as results arrive; nothing is raised for
what AWS or the person did wrong. Rules: a role counts as refusing only where AWS says exactly
`AccessDenied`; whatever else comes (a timeout, a throttle) is *unknown*, never a pass. A role that does
not let us in, or that is not proven to keep others out, gets no S3 call. Customers' roles are trusted
only by `trust_verdict`, which the control plane asks before it stores anything as verified.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from grantline.aws.arns import RoleArn, parse_role_arn
from grantline.aws.external_id import new_external_id
from grantline.aws.failures import EXPIRED, OWN_CREDENTIALS, OWN_FAULT
from grantline.aws.objects import ObjectInfo, from_listing, is_folder_marker
from grantline.aws.service import Service
from grantline.aws.sessions import BucketSession, Clock, open_session, probe, session_name, utc_now
from grantline.errors import GrantlineError, InputInvalid, SourceDenied, SourceError, SourceNotFound

StepName = Literal[
    "role_assumed",
    "refused_without_external_id",
    "refused_with_wrong_external_id",
    "refused_with_another_organizations_external_id",
    "region_found",
    "bucket_listed",
    "object_readable",
]
Outcome = Literal["pass", "fail", "unknown", "skipped"]
Verdict = Literal["trusted", "open", "closed", "unknown"]
"""What the trust steps say of a role: it lets us in and nobody else; it lets others in; it does not let
us in; or AWS gave no clear answer."""

TRUST_STEPS: tuple[StepName, ...] = (
    "role_assumed",
    "refused_without_external_id",
    "refused_with_wrong_external_id",
    "refused_with_another_organizations_external_id",
)
BUCKET_STEPS: tuple[StepName, ...] = ("region_found", "bucket_listed", "object_readable")
STEPS = TRUST_STEPS + BUCKET_STEPS
"""Every step, in its order."""

EXTERNAL_ID_NOT_REQUIRED = "external_id_not_required"
EXTERNAL_ID_NOT_CHECKED = "external_id_not_checked"
EXTERNAL_ID_SHARED = "external_id_shared"
ROLE_IN_USE = "role_in_use"
"""Codes of their own, the last one given by the control plane; every other code of a step is one of
`grantline.errors`."""

LONGEST_PAUSE_SECONDS = 5.0

OnWait = Callable[[float, float], None]
"""Called with the seconds waited so far for AWS to notice a new role, and the most that will be."""


@dataclass(frozen=True, slots=True)
class CheckStep:
    """What one step found. `at` is aware UTC; `region` is set by a `region_found` that passed, `aws_code` by
    a `role_assumed` that did not."""

    name: StepName
    outcome: Outcome
    code: str | None
    message: str
    remedy: str | None
    at: datetime
    region: str | None = None
    aws_code: str | None = None

    def document(self) -> dict[str, Any]:
        """The step as the API prints it and a check's record keeps it."""
        return {
            "name": self.name,
            "outcome": self.outcome,
            "code": self.code,
            "message": self.message,
            "remedy": self.remedy,
            "at": self.at.isoformat(),
        }


def run_check(
    service: Service,
    role_arn: str,
    external_id: str,
    bucket: str = "",
    prefix: str = "",
    region: str = "",
    *,
    bucket_owner: str = "",
    other_external_ids: Sequence[str] = (),
    trust_only: bool = False,
    wait_seconds: float = 60,
    subject_id: str = "check",
    sleep: Callable[[float], None] = time.sleep,
    clock: Clock = utc_now,
    on_wait: OnWait | None = None,
) -> Iterator[CheckStep]:
    """The steps in their order, each yielded as soon as it is known; with `trust_only` the first four.

    A first refusal is retried for up to `wait_seconds`, since AWS takes a while to notice a new role;
    `on_wait` is told meanwhile. `other_external_ids` are IDs issued to others, which must be refused;
    where none is given, a fresh one stands for them.
    """
    run = _Run(service, role_arn, external_id, bucket, prefix, region, subject_id, clock)
    run.bucket_owner, run.others = bucket_owner, tuple(other_external_ids) or (new_external_id(),)
    later = () if trust_only else BUCKET_STEPS
    first = run.role_assumed(_Waiting(wait_seconds, sleep, clock, on_wait))
    yield first
    if first.outcome != "pass":
        yield from run.skip((*TRUST_STEPS[1:], *later), "Not tried: the role was not assumed.")
        return
    refusals: list[CheckStep] = []
    for probing in run.probes():
        if any(step.outcome == "fail" for step in refusals):
            run.others = (new_external_id(),)  # a role that lets others in is shown no ID of theirs
        refusals.append(probing())
        yield refusals[-1]
    if any(step.outcome == "fail" for step in refusals):
        yield from run.skip(later, "Not tried: the role lets others in, so nothing is read with it.")
    elif any(step.outcome != "pass" for step in refusals):
        yield from run.skip(later, "Not tried: it is not proven that the role refuses others.")
    elif later:
        yield from run.bucket_steps()


def trust_verdict(steps: Iterable[CheckStep]) -> Verdict:
    """What the trust steps say of the role.

    An answer that says nothing of the role (no answer, a throttle, credentials of Grantline's own that
    AWS does not take) is *unknown*, and so is a step that is missing.
    """
    found = {step.name: step for step in steps if step.name in TRUST_STEPS}
    if any(step.outcome == "fail" for name, step in found.items() if name != "role_assumed"):
        return "open"
    if len(found) == len(TRUST_STEPS) and all(step.outcome == "pass" for step in found.values()):
        return "trusted"
    first = found.get("role_assumed")
    ours = EXPIRED | OWN_FAULT | OWN_CREDENTIALS
    return "closed" if first and first.outcome == "fail" and first.aws_code not in ours else "unknown"


def is_trusted(steps: Iterable[CheckStep]) -> bool:
    """Whether the role let us in with the External ID, and refused everybody else."""
    return trust_verdict(steps) == "trusted"


def is_ok(steps: Iterable[CheckStep]) -> bool:
    """Whether nothing stands in the way of an import: trusted, region found, listing allowed, and the
    file read, unless there was none yet."""
    outcomes = {step.name: step.outcome for step in steps}
    readable = outcomes.get("object_readable") in ("pass", "skipped")
    return readable and all(outcomes.get(name) == "pass" for name in (*TRUST_STEPS, *BUCKET_STEPS[:2]))


def found_region(steps: Iterable[CheckStep]) -> str | None:
    """The region that the check found, if it did."""
    return next((step.region for step in steps if step.region), None)


@dataclass
class _Waiting:
    """Patience with a new role: pauses that double up to 5 s, until the limit is used up."""

    limit_seconds: float
    sleep: Callable[[float], None]
    clock: Clock
    on_wait: OnWait | None

    def attempts(self) -> Iterator[None]:
        began, pause = self.clock(), 1.0
        while True:
            yield
            waited = (self.clock() - began) / timedelta(seconds=1)
            left = self.limit_seconds - waited
            if left <= 0:
                return
            if self.on_wait is not None:
                self.on_wait(waited, self.limit_seconds)
            self.sleep(min(pause, left))
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


class _Run:
    """One check: what was entered, and what is known so far."""

    def __init__(
        self,
        service: Service,
        role_arn: str,
        external_id: str,
        bucket: str,
        prefix: str,
        region: str,
        subject_id: str,
        clock: Clock,
    ) -> None:
        self.service, self.role_arn, self.external_id = service, role_arn, external_id
        self.bucket, self.prefix, self.region = bucket, prefix, region
        self.subject_id, self.clock = subject_id, clock
        self.bucket_owner = ""
        self.others: tuple[str, ...] = ()

    def role_assumed(self, waiting: _Waiting) -> CheckStep:
        try:
            role = self._role()
        except InputInvalid as error:
            return self._failed("role_assumed", error)
        self.role_arn = role.text
        last: GrantlineError | None = None
        for _ in waiting.attempts():
            code, last = self._probe(role.text, self.external_id)
            if last is None:
                return self._step("role_assumed", "pass", f"Role {role} let us in with your External ID.")
            if code != "AccessDenied":
                break
        assert last is not None  # noqa: S101
        return self._failed("role_assumed", last)

    def probes(self) -> tuple[Callable[[], CheckStep], ...]:
        """The steps that must be refused, in their order."""
        return (
            self.refused_without_external_id,
            self.refused_with_wrong_external_id,
            self.refused_with_another_organizations_external_id,
        )

    def refused_without_external_id(self) -> CheckStep:
        return self._refused(
            "refused_without_external_id",
            (None,),
            "The role refuses whoever sends no External ID.",
            EXTERNAL_ID_NOT_REQUIRED,
            f"Role {self.role_arn} can be assumed without any External ID, so another customer of Grantline "
            "could have it read.",
        )

    def refused_with_wrong_external_id(self) -> CheckStep:
        return self._refused(
            "refused_with_wrong_external_id",
            (new_external_id(),),
            "The role refuses whoever sends a made-up External ID.",
            EXTERNAL_ID_NOT_CHECKED,
            f"Role {self.role_arn} can be assumed with an External ID that nobody was ever given.",
        )

    def refused_with_another_organizations_external_id(self) -> CheckStep:
        return self._refused(
            "refused_with_another_organizations_external_id",
            self.others,
            "The role refuses whoever sends an External ID that was issued to somebody else.",
            EXTERNAL_ID_SHARED,
            f"Role {self.role_arn} can be assumed with an External ID that was not issued to this data source.",
        )

    def bucket_steps(self) -> Iterator[CheckStep]:
        if not self.bucket:
            yield from self.skip(BUCKET_STEPS, "Not tried: no bucket is named yet.")
            return
        try:
            session = self._session()
        except GrantlineError as error:
            yield self._failed("region_found", error)
            yield from self.skip(BUCKET_STEPS[1:], "Not tried: the role was not assumed again.")
            return
        region = self._region_found(session)
        yield region
        if region.outcome == "fail":
            yield from self.skip(BUCKET_STEPS[1:], "Not tried: the bucket was not found.")
            return
        if region.region:
            session.move(region.region)
        yield from self._content_steps(session)

    def skip(self, names: Iterable[StepName], why: str) -> Iterator[CheckStep]:
        for name in names:
            yield self._step(name, "skipped", why)

    def _content_steps(self, session: BucketSession) -> Iterator[CheckStep]:
        try:
            found = first_file(session)
        except GrantlineError as error:
            yield self._failed("bucket_listed", error)
            yield from self.skip(["object_readable"], "Not tried: the bucket could not be listed.")
            return
        place = f"{self.prefix} in {self.bucket}" if self.prefix else f"the bucket {self.bucket}"
        if found is None:
            yield self._step("bucket_listed", "pass", f"Listing is allowed; {place} holds no file yet.")
            yield self._step(
                "object_readable",
                "skipped",
                f"Not tried: there is no file under {place} yet.",
                remedy="Put a file there and check again; until then reading is not proven.",
            )
            return
        yield self._step("bucket_listed", "pass", f"Listing is allowed; the first file is {found.key}.")
        yield self._object_readable(session, found)

    def _object_readable(self, session: BucketSession, found: ObjectInfo) -> CheckStep:
        try:
            answer = session.call("get_object", Key=found.key, Range="bytes=0-0")
            answer["Body"].close()
        except SourceError as error:
            # An object without a byte has no first byte: S3 let us look, which is what was asked.
            if error.facts.get("status") != 416:
                return self._failed("object_readable", error)
        return self._step("object_readable", "pass", f"Reading is allowed; one byte of {found.key} was read.")

    def _region_found(self, session: BucketSession) -> CheckStep:
        try:
            region = find_region(session)
        except GrantlineError as error:
            return self._failed("region_found", error)
        if region is None:
            return self._step(
                "region_found",
                "unknown",
                f"S3 did not say in which region {self.bucket} is; {session.region} is used.",
            )
        if self.region and self.region != region:
            return self._step(
                "region_found",
                "pass",
                f"The bucket {self.bucket} is in {region}, not in {self.region}; {region} is used.",
                remedy=f"Set the region to {region}, or leave it empty.",
                region=region,
            )
        return self._step("region_found", "pass", f"The bucket {self.bucket} is in {region}.", region=region)

    def _refused(
        self, name: StepName, ids: Iterable[str | None], passed: str, fail_code: str, failed: str
    ) -> CheckStep:
        for external_id in ids:
            code, error = self._probe(self._role().text, external_id)
            if error is None:
                remedy = (
                    "Replace the role's trust policy by the one shown here: Condition StringEquals "
                    f"sts:ExternalId {self.external_id}, and no other statement that allows sts:AssumeRole. "
                    "Then check again; AWS may take a minute to notice."
                )
                return self._step(name, "fail", failed, code=fail_code, remedy=remedy)
            if code != "AccessDenied":
                return self._step(
                    name,
                    "unknown",
                    f"AWS gave no clear answer ({code}), so this is not proven.",
                    code=error.code,
                    remedy="Check again.",
                )
        return self._step(name, "pass", passed)

    def _probe(self, role_arn: str, external_id: str | None) -> tuple[str, GrantlineError | None]:
        name = session_name(self.subject_id)
        return probe(self.service, role_arn, external_id, name=name, fallback_region=self.region)

    def _role(self) -> RoleArn:
        own = self.service
        return parse_role_arn(self.role_arn, own_account=own.account, own_partition=own.partition)

    def _session(self) -> BucketSession:
        return open_session(
            self.service,
            role_arn=self.role_arn,
            external_id=self.external_id,
            bucket=self.bucket,
            prefix=self.prefix,
            region=self.region,
            subject_id=self.subject_id,
            expected_owner=self.bucket_owner or None,
            clock=self.clock,
        )

    def _failed(self, name: StepName, error: GrantlineError) -> CheckStep:
        outcome: Outcome = "unknown" if error.mark == "retry" else "fail"
        step = self._step(name, outcome, error.message, code=error.code, remedy=error.remedy)
        return replace(step, aws_code=error.facts.get("aws_code"))

    def _step(
        self,
        name: StepName,
        outcome: Outcome,
        message: str,
        *,
        code: str | None = None,
        remedy: str | None = None,
        region: str | None = None,
    ) -> CheckStep:
        return CheckStep(name, outcome, code, message, remedy, self.clock(), region)


def find_region(session: BucketSession) -> str | None:
    """The region of the session's bucket, None where S3 does not say.

    HeadBucket names it in a header even where it refuses, which it does under a policy narrowed to a
    prefix. Raises: `SourceNotFound`, `SourceUnavailable` and others of the source tree.
    """
    try:
        answer = session.call("head_bucket")
        region = answer.get("BucketRegion") or _header(answer)
        return str(region) if region else None
    except SourceNotFound:
        raise
    except SourceError as error:
        region = error.facts.get("region")
        if region:
            return str(region)
        if not isinstance(error, SourceDenied):
            raise
    try:
        place = session.call("get_bucket_location").get("LocationConstraint")
    except SourceDenied:
        return None
    # The oldest regions answer with names of their own (GetBucketLocation, API reference).
    return {None: "us-east-1", "": "us-east-1", "EU": "eu-west-1"}.get(place, place)


def first_file(session: BucketSession) -> ObjectInfo | None:
    """The file to try reading: the first of a listing that is no folder marker, best one not archived.

    Raises: errors of the source tree.
    """
    fallback: ObjectInfo | None = None
    parameters: dict[str, Any] = {"Prefix": session.prefix, "MaxKeys": 100}
    for _ in range(10):
        answer = session.call("list_objects_v2", **parameters)
        for entry in answer.get("Contents", ()):
            if is_folder_marker(entry["Key"]):
                continue
            info = from_listing(entry)
            if not info.is_archived:
                return info
            fallback = fallback or info
        token = answer.get("NextContinuationToken")
        if not token:
            break
        parameters["ContinuationToken"] = token
    return fallback


def _header(answer: dict[str, Any]) -> str | None:
    headers: dict[str, str] = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return headers.get("x-amz-bucket-region")
