"""One run, from trigger to verdict: fetch → read → map → diff → guard → publish.

In: the id of a queued run. Out: the run's verdict, and where it is *published* a new version. Invariants:
whatever goes wrong, the import's data stays as it was; the run publishes only while it holds its claim;
what it wrote without publishing is invisible and goes with the next clean-up. A rollback has no file and
begins at *diff*. Errors of our tree are the
run's verdict; anything else is a fault of Grantline, logged and told as *internal*.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb
import structlog
from django.db import InterfaceError, OperationalError, connection

from grantline.catalog.connection import lake_errors
from grantline.catalog.diff import Diff
from grantline.control.imports.references import facts_of, with_state
from grantline.control.runs import rules
from grantline.control.runs.models import Run
from grantline.control.tenancy import acting_for
from grantline.errors import GrantlineError
from grantline.jobs.fetching import Fetched, Unchanged, fetch
from grantline.jobs.installation import open_duckdb, spool_folder
from grantline.jobs.points import point
from grantline.jobs.proposal import Proposal, index_files, make_proposal, write_version
from grantline.jobs.references import wake_dependents
from grantline.jobs.rollback import facts_then, restoring, unchanged_note

log = structlog.get_logger(__name__)

GIVE_BACK_TRIES = 20
GIVE_BACK_PAUSE_SECONDS = 0.5
PROGRESS_SECONDS = 1.0
"""How often the bytes read so far are written down for the page that watches."""


def carry_out(run_id: str) -> None:
    """Carry out one queued run; nothing where it is not queued any more."""
    run = rules.claim(run_id)
    if run is None:
        log.info("run.not_queued", run_id=run_id)
        return
    point("claimed")
    with acting_for(run), structlog.contextvars.bound_contextvars(run_id=run.pk, import_id=run.of_import_id):
        Pass(run).go()


class Pass:
    """What one run has done so far."""

    def __init__(self, run: Run) -> None:
        self.run, self.item = run, run.of_import
        self.timings: dict[str, float] = {}
        self.facts: dict[str, Any] = {}
        self._noted_at = 0.0

    def go(self) -> None:
        """Go through the stages; end the run with its verdict."""
        folder: Path | None = None
        try:
            with lake_errors("Working on this run"):
                folder = Path(tempfile.mkdtemp(prefix=f"{self.run.pk}-", dir=spool_folder(self.run.organization_id)))
                self._stages(folder)
        except rules.ClaimLost:
            log.warning("run.claim_lost")
        except (OperationalError, InterfaceError):
            self._give_back()
            raise  # the database is gone: the queue tries again
        except GrantlineError as error:
            log.info("run.failed", code=error.code, stage=self.run.stage)
            self._fail(error)
        except Exception:
            log.exception("run.broke", stage=self.run.stage)
            self._fail(GrantlineError("Something in Grantline broke while it worked on this run."))
        finally:
            if folder is not None:
                shutil.rmtree(folder, ignore_errors=True)

    def _stages(self, folder: Path) -> None:
        if self.run.restores is not None:
            self._restore(self.run.restores, folder)
            return
        with self._stage("fetch"):
            found = fetch(
                self.item, subject_id=self.run.pk, spool=folder, upload=self.run.upload, on_progress=self._progress
            )
        self.facts["evidence"] = found.evidence
        if isinstance(found, Unchanged):
            notes = unchanged_note(self.item)
            rules.finish_unchanged(self.run, evidence=found.evidence, notes=notes, timings=self.timings)
            return
        with contextlib.closing(open_duckdb(folder)) as con:
            proposal = make_proposal(con, self.item, found, folder, self._stage)
            self._note_result(proposal)
            self._conclude(proposal, found, folder)

    def _conclude(self, proposal: Proposal, found: Fetched, folder: Path) -> None:
        seen = None if found.seen is None else with_state(found.seen, proposal.reference_state)
        if proposal.is_nothing_new:
            rules.note_seen(self.item, seen)
            rules.finish_unchanged(self.run, settles_held=True, timings=self.timings, **self.facts)
            return
        if proposal.verdict.held:
            version_id, _ = write_version(proposal.con, proposal.diff, self.item)
            rules.note_seen(self.item, seen)
            rules.hold(
                self.run,
                version_id=version_id,
                reasons=proposal.verdict.reasons,
                breaches=[{**asdict(breach), "share": breach.share} for breach in proposal.verdict.breaches],
                base_number=proposal.number - 1,
                changes=asdict(proposal.changes),
                timings=self.timings,
                **self.facts,
            )
            return
        self._publish(proposal.con, proposal.diff, folder, seen)

    def _publish(self, con: duckdb.DuckDBPyConnection, diff: Diff, folder: Path, seen: dict[str, Any] | None) -> None:
        before = facts_of(self.item)
        with self._stage("publish"):
            version_id, manifest = write_version(con, diff, self.item)
            index = index_files(con, diff, self.item, folder)
            index = _between("inside_transaction", index, "end_of_transaction")
            point("before_transaction")
            rules.publish(self.run, manifest, version_id, seen=seen, index=index, timings=self.timings, **self.facts)
            point("after_transaction")
        wake_dependents(self.item, before, manifest.changes)
        rules.note_timings(self.run, self.timings)
        log.info("run.published", version=manifest.number, **asdict(manifest.counts))

    def _restore(self, number: int, folder: Path) -> None:
        """Bring an earlier version back: a person asked for it with a reason, so no guard is asked."""
        with contextlib.closing(open_duckdb(folder)) as con:
            with self._stage("diff"):
                found = restoring(con, self.item, number)
                self.facts["reference_facts"] = facts_then(self.item, number)
            if not found.is_worth_writing:
                self.facts["notes"] = [f"Version {number:,} says exactly what is current; nothing changed."]
                rules.finish_unchanged(self.run, timings=self.timings, **self.facts)
                return
            self._publish(con, found, folder, None)

    def _note_result(self, proposal: Proposal) -> None:
        records = proposal.records
        self.facts |= {
            "format": asdict(proposal.format),
            "mapping": proposal.mapping,
            "counts": proposal.counts,
            "issue_counts": records.issue_counts,
            "notes": list(proposal.notes),
            "reference_facts": asdict(proposal.references),
        }
        rules.store_issues(self.run, records.issues)

    @contextlib.contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        """Say which stage the run is in, and how long it took."""
        rules.note_progress(self.run, stage=name, timings=self.timings)
        begun = time.perf_counter()
        try:
            yield
        finally:
            spent = self.timings.get(name, 0.0) + time.perf_counter() - begun  # a file may be read twice
            self.timings[name] = round(spent, 4)
        point(f"after_{name}")

    def _progress(self, byte_count: int, _total: int) -> None:
        point("downloading")
        now = time.monotonic()
        if now - self._noted_at >= PROGRESS_SECONDS:
            self._noted_at = now
            rules.note_progress(self.run, progress_bytes=byte_count)

    def _fail(self, error: GrantlineError) -> None:
        with contextlib.suppress(rules.ClaimLost):
            rules.fail(self.run, error, timings=self.timings, **self.facts)

    def _give_back(self) -> None:
        """Queue the run again, so that it need not wait until it is found lost; the database may come back
        within moments."""
        for _ in range(GIVE_BACK_TRIES):
            connection.close()
            try:
                rules.requeue(self.run)
            except (OperationalError, InterfaceError):
                time.sleep(GIVE_BACK_PAUSE_SECONDS)
            else:
                log.warning("run.given_back", stage=self.run.stage)
                return


def _between(before: str, work: Callable[[], None], after: str) -> Callable[[], None]:
    """`work` with a point before and after it."""

    def worked() -> None:
        point(before)
        work()
        point(after)

    return worked
