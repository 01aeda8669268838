"""psycopg 3 against a running server (PGHOST and so on in the environment). Ends with a traceback at the first difference."""

import datetime as dt
import decimal
import sys
import uuid

import psycopg
from psycopg.types.json import Json, Jsonb

UTC = dt.timezone.utc
D = decimal.Decimal

# SQL type, then values that must come back equal.
VALUES = {
    "boolean": [True, False],
    "int2": [-32768, 32767],
    "int4": [-2147483648, 2147483647],
    "int8": [-9223372036854775808, 9223372036854775807],
    "float4": [1.5, -0.25, float("inf")],
    "float8": [0.1, -1e300, float("-inf")],
    "numeric": [D("0"), D("-12345678901234567890.123456789"), D("1E+5"), D("0.00010")],
    "text": ["", "it's \\ é 🌊", "a\nb\tc"],
    "varchar": ["x", "é" * 300],
    "char(5)": ["abcde"],
    "bytea": [b"", bytes(range(256))],
    "date": [dt.date(1, 1, 1), dt.date(2024, 2, 29), dt.date(9999, 12, 31)],
    "time": [dt.time(0, 0), dt.time(23, 59, 59, 999999)],
    "timestamp": [dt.datetime(2024, 2, 29, 12, 34, 56, 789012), dt.datetime(1900, 1, 1)],
    "timestamptz": [dt.datetime(2024, 2, 29, 12, 34, 56, 789012, UTC), dt.datetime(1969, 7, 20, tzinfo=UTC)],
    "interval": [dt.timedelta(days=3, hours=4, microseconds=5), dt.timedelta(days=-1)],
    "uuid": [uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")],
    "int4[]": [[1, 2, 3], [-1, None]],
    "int8[]": [[2**40]],
    "text[]": [["x", 'y,"z"', "", None, "NULL"]],
    "numeric[]": [[D("1.50"), D("-2")]],
    "timestamptz[]": [[dt.datetime(2024, 1, 1, tzinfo=UTC)]],
    "boolean[]": [[True, False]],
    "uuid[]": [[uuid.UUID(int=1)]],
    "float8[]": [[1.5, 2.25]],
    "bytea[]": [[b"\x00\xff", b""]],
    "date[]": [[dt.date(2024, 2, 29)]],
}


def same(got, wanted, what):
    if got != wanted or type(got) is not type(wanted):
        raise AssertionError(f"{what}: got {got!r}, wanted {wanted!r}")


def round_trips(connection):
    """Each value as a parameter in text (%t) and binary (%b), with the result in text and in binary."""
    for binary in (False, True):
        with connection.cursor(binary=binary) as cursor:
            for sql_type, values in VALUES.items():
                for value in values + [None]:
                    for form in ("%t", "%b"):
                        cursor.execute(f"select {form}::{sql_type}", [value])
                        same(cursor.fetchone()[0], value, f"{sql_type} {form} binary={binary}")
            document = {"a": [1, None, {"b": "é"}], "n": 1.5}
            for wrap, sql_type in ((Json, "json"), (Jsonb, "jsonb")):
                for form in ("%t", "%b"):
                    cursor.execute(f"select {form}::{sql_type}", [wrap(document)])
                    same(cursor.fetchone()[0], document, f"{sql_type} {form} binary={binary}")
            cursor.execute("select %s::float8 <> %s::float8, %s::numeric", [float("nan"), 1.0, D("NaN")])
            row = cursor.fetchone()
            same(row[0], True, "NaN")
            assert row[1].is_nan(), row


def stored(connection):
    """Through a table's columns, with executemany (a pipeline), prepared statements and a view over it."""
    types = ["boolean", "int2", "int4", "int8", "float8", "numeric", "text", "bytea", "date", "time", "timestamp",
             "timestamptz", "interval", "uuid", "int4[]", "text[]"]
    columns = ", ".join(f"c{i} {sql_type}" for i, sql_type in enumerate(types))
    with connection.cursor() as cursor:
        cursor.execute(f"create table kinds (id int primary key, {columns})")
        cursor.execute("create materialized view kept as select * from kinds where id % 2 = 0")
        marks = ", ".join(["%s"] * (len(types) + 1))
        rows = [(n, *(VALUES[t][n % len(VALUES[t])] for t in types)) for n in range(20)]
        cursor.executemany(f"insert into kinds values ({marks})", rows)
        same(cursor.rowcount, 20, "executemany")
        for binary in (False, True):
            reader = connection.cursor(binary=binary)
            for _ in range(8):
                reader.execute("select * from kept where id >= %s order by id", [4], prepare=True)
                same(reader.fetchall(), rows[4::2], f"the view, binary={binary}")
        cursor.executemany("update kinds set c6 = %s where id = %s returning id", [("new", 1), ("newer", 2)], returning=True)
        ids = [cursor.fetchone()[0]]
        while cursor.nextset():
            ids.append(cursor.fetchone()[0])
        same(ids, [1, 2], "executemany returning")
    with connection.pipeline() as pipeline:
        first = connection.execute("select %s::int + 1", [1])
        second = connection.execute("select count(*) from kinds")
        pipeline.sync()
        same((first.fetchone()[0], second.fetchone()[0]), (2, 20), "pipeline")
    try:
        with connection.pipeline():
            connection.execute("select 1/%s::int", [0])
            connection.execute("select 1")
        raise AssertionError("no error from a pipeline")
    except psycopg.errors.DivisionByZero:
        pass


def copies(connection):
    with connection.cursor() as cursor:
        cursor.execute("create table copied (a int, b text, c numeric, d timestamptz, e text[])")
        when = dt.datetime(2024, 1, 1, tzinfo=UTC)
        rows = [(n, None if n % 3 == 0 else f"r\t{n}", D(n) / 4, when, [str(n), None]) for n in range(500)]
        with cursor.copy("copy copied from stdin") as copy:
            for row in rows:
                copy.write_row(row)
        with cursor.copy("copy copied (a, b, c, d, e) from stdin (format binary)") as copy:
            copy.set_types(["int4", "text", "numeric", "timestamptz", "text[]"])
            for row in rows:
                copy.write_row((row[0] + 1000, *row[1:]))
        cursor.execute("select count(*), sum(c) from copied")
        same(cursor.fetchone(), (1000, sum(row[2] for row in rows) * 2), "copied")
        for options in ("", "(format binary)"):
            with cursor.copy(f"copy (select * from copied where a < 1000 order by a) to stdout {options}") as copy:
                copy.set_types(["int4", "text", "numeric", "timestamptz", "text[]"])
                same(list(copy.rows()), rows, f"copy out {options}")
        try:
            with cursor.copy("copy copied from stdin") as copy:
                copy.write_row((1, "x", D(1), when, []))
                raise KeyError("stop")
        except KeyError:
            pass
        cursor.execute("select count(*) from copied")
        same(cursor.fetchone()[0], 1000, "an abandoned COPY takes nothing")


def cursors_and_transactions(address):
    with psycopg.connect(address) as connection:
        with connection.cursor("portions") as cursor:
            cursor.itersize = 100
            cursor.execute("select a from copied where a < %s order by a", [300])
            same([row[0] for row in cursor], list(range(300)), "server-side cursor")
        with connection.cursor("jumps", scrollable=True) as cursor:
            cursor.execute("select a from copied order by a")
            cursor.scroll(10)
            same(cursor.fetchone()[0], 10, "scroll")
            cursor.scroll(0, mode="absolute")
            same(cursor.fetchmany(2), [(0,), (1,)], "scroll back")
        with connection.transaction():
            connection.execute("insert into copied (a) values (-1)")
            try:
                with connection.transaction():
                    connection.execute("insert into copied (a) values (-2)")
                    raise psycopg.Rollback()
            except psycopg.Rollback:
                pass
            try:
                with connection.transaction():
                    connection.execute("select 1/0")
            except psycopg.errors.DivisionByZero:
                pass
        same(connection.execute("select a from copied where a < 0").fetchall(), [(-1,)], "nested transactions")
        connection.rollback()
        same(connection.execute("select count(*) from copied where a < 0").fetchone(), (0,), "rollback")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("create materialized view big as select a, b from copied where a % 2 = 0")
        for _ in range(2):
            stream = connection.cursor().stream("subscribe big")
            row = next(stream)
            same(len(row), 4, "subscribe by single rows")
            connection.cancel_safe()
            try:
                for row in stream:
                    pass
                raise AssertionError("the subscription ended")
            except psycopg.errors.QueryCanceled:
                pass
        same(connection.execute("select 1").fetchone(), (1,), "after a cancel")
        with connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
            cursor.execute("select a, b from copied where a = 1")
            same(cursor.fetchone(), {"a": 1, "b": "r\t1"}, "dict rows")
            same([(c.name, c.type_code) for c in cursor.description], [("a", 23), ("b", 25)], "description")
        same(connection.info.server_version >= 140000, True, "server_version")
        same(connection.info.parameter_status("TimeZone") is not None, True, "TimeZone")
        one = psycopg.ClientCursor(connection)
        one.execute("select %s, %s::date, %s", ["it's", dt.date(2024, 1, 1), [1, 2]])
        same(one.fetchone(), ("it's", dt.date(2024, 1, 1), [1, 2]), "client-side binding")


if __name__ == "__main__":
    with psycopg.connect("", autocommit=True) as connection:
        connection.execute("set time zone 'UTC'")
        for step in (round_trips, stored, copies):
            step(connection)
            print(f"{step.__name__} ok", flush=True)
    cursors_and_transactions("")
    print("cursors_and_transactions ok")
    sys.exit(0)
