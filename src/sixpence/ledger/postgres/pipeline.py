"""Round trips to PostgreSQL: prepared statements sent together over libpq's interface, and their results.

psycopg's pipeline creates a cursor for every statement, which for a batch of one costs as much as the server's work.
Its connection stays usable: between two round trips it is not in pipeline mode.
"""

import select

import psycopg
from psycopg import errors, pq
from psycopg.adapt import Transformer

from sixpence.ledger.postgres.statements import Call, Row

_GOOD = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)


class Pipeline:
    """Sends calls over an autocommit connection; a statement is prepared at its first use."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._pgconn = connection.pgconn
        self._transformer = Transformer.from_context(connection)
        self._names: dict[str, bytes] = {}
        self._readable, self._either = select.poll(), select.poll()
        self._readable.register(self._pgconn.socket, select.POLLIN)
        self._either.register(self._pgconn.socket, select.POLLIN | select.POLLOUT)

    def run(self, *calls: Call) -> list[list[Row]]:
        """Run the calls and return the rows of each; one round trip, plus one for each new statement.

        Raises the `psycopg.Error` of the first failed call; the calls after it were not run.
        """
        for text, _ in calls:
            if text not in self._names:
                self._prepare(text)
        pgconn = self._pgconn
        pgconn.enter_pipeline_mode()
        for text, parameters in calls:
            pgconn.send_query_prepared(self._names[text], [None if p is None else p.encode() for p in parameters])
        pgconn.pipeline_sync()
        self._send()
        results = [self._result() for _ in calls]
        self._end_pipeline()
        failed = next((result for result in results if result.status not in _GOOD), None)
        if failed is not None:
            raise errors.error_from_result(failed, encoding="utf-8")
        return [self._rows(result) for result in results]

    def _prepare(self, text: str) -> None:
        name = f"s{len(self._names)}".encode()
        result = self._pgconn.prepare(name, text.encode())
        if result.status not in _GOOD:
            raise errors.error_from_result(result, encoding="utf-8")
        self._names[text] = name

    def _send(self) -> None:
        """Send everything, reading what arrives meanwhile, so that the two sides never wait for each other."""
        while self._pgconn.flush():
            self._either.poll()
            self._pgconn.consume_input()

    def _next(self) -> "pq.abc.PGresult | None":
        while self._pgconn.is_busy():
            self._readable.poll()
            self._pgconn.consume_input()
        return self._pgconn.get_result()

    def _result(self) -> "pq.abc.PGresult":
        """The next call's result; raises when the connection has ended."""
        result = self._next()
        if result is None:
            raise psycopg.OperationalError("the connection was lost")
        # A result is followed by the end of its statement.
        while self._next() is not None:
            pass
        return result

    def _end_pipeline(self) -> None:
        result = self._next()
        if result is None or result.status != pq.ExecStatus.PIPELINE_SYNC:
            raise psycopg.OperationalError("the connection was lost")
        self._pgconn.exit_pipeline_mode()

    def _rows(self, result: "pq.abc.PGresult") -> list[Row]:
        if not result.ntuples:
            return []
        self._transformer.set_pgresult(result)
        return self._transformer.load_rows(0, result.ntuples, tuple)
