"""Django's PostgreSQL backend, whose connections act as `grantline_app` and show one organization.

A setting that was made inside a transaction goes with its rollback; therefore it is made again after
every rollback, and on every new connection, before anybody can ask anything. A connection that cannot
be told whose rows to show is closed: it is never used with another tenant's setting. Django finds this
module by the name in `DATABASES["default"]["ENGINE"]`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus

from grantline.control import isolation

_TELL = f"SELECT set_config('{isolation.SETTING}', %s, false)"
_TAKE_ROLE = (
    f"SELECT set_config('role', '{isolation.ROLE}', false) FROM pg_class"
    " WHERE oid = to_regclass('control_datasource') AND relforcerowsecurity"
)
"""A database whose walls do not stand yet is only good for migrations: there is no role to take."""


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that knows its tenant."""

    _is_told = False

    def init_connection_state(self) -> None:
        """Called by Django for every new connection, before its first query."""
        super().init_connection_state()
        self.take_role()
        self._is_told = False
        self.tell()

    def take_role(self) -> None:
        """Act as the role without ownership. Raises: `OperationalError` where it cannot be taken."""
        try:
            self._raw.execute(_TAKE_ROLE)
        except psycopg.Error as error:
            self._raw.close()
            raise OperationalError(
                f"the database's user cannot act as {isolation.ROLE} ({str(error).strip()}); have the database's"
                f" administrator run: CREATE ROLE {isolation.ROLE} NOLOGIN; GRANT {isolation.ROLE} TO <the user>"
            ) from error

    def give_role_back(self) -> None:
        """Act as the user who connected; for migrations alone."""
        self._raw.execute("RESET ROLE")

    def tell(self) -> None:
        """Tell the server whose rows to show, where there is a connection that can be told now.

        Within a failed transaction nothing can be said; its rollback brings us here again.
        """
        self._is_told = False
        if not self.can_be_told:
            return
        try:
            self._raw.execute(_TELL, [isolation.shown()])
        except psycopg.Error:  # the server is gone, or says no: whoever asks next is told so
            self._raw.close()
        self._is_told = not self._raw.closed

    @property
    def can_be_told(self) -> bool:
        """Whether there is a connection, and not in a failed transaction."""
        if self.connection is None or self._raw.closed:
            return False
        return self._raw.info.transaction_status in (TransactionStatus.IDLE, TransactionStatus.INTRANS)

    def _rollback(self) -> None:
        self._is_told = False
        super()._rollback()  # type: ignore[misc] # the stubs leave out what backends override

    def _savepoint_rollback(self, sid: str) -> None:
        self._is_told = False
        super()._savepoint_rollback(sid)  # type: ignore[misc]
        self.tell()

    def _set_autocommit(self, autocommit: bool) -> None:
        super()._set_autocommit(autocommit)  # type: ignore[misc]
        if not self._is_told:
            self.tell()

    @property
    def _raw(self) -> psycopg.Connection[Any]:
        connection: psycopg.Connection[Any] = self.connection
        return connection


def tell_connection() -> None:
    """Tell this thread's connection, if it has one."""
    wrapper = connections[DEFAULT_DB_ALIAS]
    if isinstance(wrapper, DatabaseWrapper):
        wrapper.tell()


@contextlib.contextmanager
def as_owner() -> Iterator[None]:
    """Act as the user who connected, past both walls; only migrations and the tests' clean-up may."""
    wrapper = connections[DEFAULT_DB_ALIAS]
    if not isinstance(wrapper, DatabaseWrapper):
        raise TypeError("the database's backend must be grantline.control.isolation")
    wrapper.ensure_connection()
    wrapper.give_role_back()
    try:
        with isolation.showing(isolation.EVERYBODY):
            yield
    finally:
        if wrapper.can_be_told:  # else the rollback brings the role back, or a new connection takes it
            wrapper.take_role()
