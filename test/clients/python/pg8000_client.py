"""pg8000: pure Python, text parameters with types left to the server. Environment: PGHOST, PGPORT."""

import datetime as dt
import decimal
import os
import uuid

import pg8000.native

UTC = dt.timezone.utc
D = decimal.Decimal


def same(got, wanted, what):
    if got != wanted:
        raise AssertionError(f"{what}: got {got!r}, wanted {wanted!r}")


connection = pg8000.native.Connection("tester", host=os.environ["PGHOST"], port=int(os.environ["PGPORT"]), database="db")
values = {
    "boolean": True,
    "int4": 7,
    "int8": 2**40,
    "float8": 0.1,
    "numeric": D("12.50"),
    "text": "it's é 🌊",
    "bytea": b"\x00\xff",
    "date": dt.date(2024, 2, 29),
    "time": dt.time(12, 34, 56, 789),
    "timestamp": dt.datetime(2024, 2, 29, 12, 34, 56, 789012),
    "timestamptz": dt.datetime(2024, 2, 29, 12, 34, 56, 789012, UTC),
    "interval": dt.timedelta(days=1, seconds=5),
    "uuid": uuid.UUID(int=7),
    "jsonb": {"a": [1, None]},
    "int4[]": [1, 2, None],
    "text[]": ["x", 'y,"z"', None],
}
for sql_type, value in values.items():
    same(connection.run(f"select cast(:v as {sql_type})", v=value), [[value]], sql_type)
    same(connection.run(f"select cast(:v as {sql_type})", v=None), [[None]], f"{sql_type} null")
connection.run("create table p (id int primary key, name text)")
connection.run("start transaction")
connection.run("insert into p values (:id, :name)", id=1, name="one")
connection.run("rollback")
same(connection.run("select count(*) from p"), [[0]], "rollback")
prepared = connection.prepare("insert into p values (:id, :name) returning id")
same([prepared.run(id=n, name=str(n)) for n in range(3)], [[[0]], [[1]], [[2]]], "prepared")
same(connection.row_count, 1, "row count")
try:
    connection.run("insert into p values (1, 'again')")
    raise AssertionError("no error")
except pg8000.native.DatabaseError as error:
    same(error.args[0]["C"], "23505", "SQLSTATE")
connection.close()
print("ok")
