"""asyncpg, which speaks binary only and reads the catalog for what it does not know. Environment: PGHOST and so on."""

import asyncio
import datetime as dt
import decimal
import io
import uuid

import asyncpg

UTC = dt.timezone.utc
D = decimal.Decimal

VALUES = {
    "boolean": [True, False],
    "int2": [-32768, 32767],
    "int4": [-2147483648, 2147483647],
    "int8": [-9223372036854775808, 9223372036854775807],
    "float4": [1.5, -0.25],
    "float8": [0.1, -1e300],
    "numeric": [D("0"), D("-12345678901234567890.123456789"), D("0.00010")],
    "text": ["", "it's \\ é 🌊"],
    "varchar(10)": ["x"],
    "char(5)": ["abcde"],
    "bytea": [b"", bytes(range(256))],
    "date": [dt.date(1, 1, 1), dt.date(2024, 2, 29)],
    "time": [dt.time(0, 0), dt.time(23, 59, 59, 999999)],
    "timestamp": [dt.datetime(2024, 2, 29, 12, 34, 56, 789012)],
    "timestamptz": [dt.datetime(2024, 2, 29, 12, 34, 56, 789012, UTC)],
    "interval": [dt.timedelta(days=3, hours=4, microseconds=5)],
    "uuid": [uuid.UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")],
    "json": ['{"a": [1, null]}'],
    "jsonb": ['{"a": [1, null]}'],
    "int4[]": [[1, 2, 3], [-1, None], []],
    "text[]": [["x", 'y,"z"', "", None]],
    "numeric[]": [[D("1.50")]],
    "timestamptz[]": [[dt.datetime(2024, 1, 1, tzinfo=UTC)]],
    "uuid[]": [[uuid.UUID(int=1)]],
}


def same(got, wanted, what):
    if got != wanted:
        raise AssertionError(f"{what}: got {got!r}, wanted {wanted!r}")


async def round_trips(connection):
    for sql_type, values in VALUES.items():
        for value in values + [None]:
            same(await connection.fetchval(f"select $1::{sql_type}", value), value, sql_type)


async def tables(connection):
    await connection.execute("create table t (id int primary key, name text, amount numeric(12,2), at timestamptz, tags text[])")
    await connection.execute("create materialized view v as select name, sum(amount) as total, count(*) as n from t group by name")
    when = dt.datetime(2024, 1, 1, tzinfo=UTC)
    rows = [(n, f"n{n % 3}", D(n), when, ["a", None]) for n in range(100)]
    await connection.executemany("insert into t values ($1, $2, $3, $4, $5)", rows)
    same([tuple(row) for row in await connection.fetch("select * from t order by id")], rows, "rows")
    same(
        [tuple(row) for row in await connection.fetch("select name, total, n from v order by name")],
        [(f"n{k}", D(sum(range(k, 100, 3))).quantize(D("0.01")), len(range(k, 100, 3))) for k in range(3)],
        "the view",
    )
    statement = await connection.prepare("select id from t where name = $1 and amount > $2 order by id")
    same([p.name for p in statement.get_parameters()], ["text", "numeric"], "parameter types")
    same([(a.name, a.type.name) for a in statement.get_attributes()], [("id", "int4")], "attributes")
    for _ in range(3):
        same([row[0] for row in await statement.fetch("n1", D(90))], [91, 94, 97], "prepared")
    async with connection.transaction():
        ids = [row["id"] async for row in connection.cursor("select id from t order by id", prefetch=7)]
        same(ids, list(range(100)), "cursor")
    same(await connection.fetchrow("select array_agg(id order by id) from t where id < $1", 3), ([0, 1, 2],), "array_agg")


async def copies(connection):
    await connection.execute("create table copied (a int, b text, c numeric, d timestamptz)")
    when = dt.datetime(2024, 1, 1, tzinfo=UTC)
    rows = [(n, None if n % 3 == 0 else f"r{n}", D(n) / 4, when) for n in range(500)]
    same(await connection.copy_records_to_table("copied", records=rows), "COPY 500", "copy records")
    same([tuple(row) for row in await connection.fetch("select * from copied order by a")], rows, "copied rows")
    out = io.BytesIO()
    await connection.copy_from_query("select a, b from copied where a < $1 order by a", 3, output=out, format="csv")
    same(out.getvalue(), b"0,\n1,r1\n2,r2\n", "copy from query")
    await connection.copy_to_table("copied", source=io.BytesIO(b"7,x,1,2024-01-01Z\n"), format="csv")
    same(await connection.fetchval("select count(*) from copied"), 501, "copy to table")


async def transactions(connection):
    try:
        async with connection.transaction():
            await connection.execute("delete from t")
            try:
                async with connection.transaction():
                    await connection.execute("select 1/0")
            except asyncpg.DivisionByZeroError:
                pass
            same(await connection.fetchval("select count(*) from t"), 0, "own writes")
            raise KeyError("undo")
    except KeyError:
        pass
    same(await connection.fetchval("select count(*) from t"), 100, "rollback")
    for isolation in ("serializable", "repeatable_read"):
        async with connection.transaction(isolation=isolation, readonly=True):
            same(await connection.fetchval("select count(*) from t"), 100, isolation)


async def cancel_and_listen(connection):
    try:
        await connection.fetch("subscribe v with (snapshot = false)", timeout=0.2)
        raise AssertionError("the subscription ended")
    except asyncio.TimeoutError:
        pass
    same(await connection.fetchval("select 1"), 1, "after a timeout")
    heard = asyncio.get_running_loop().create_future()
    await connection.add_listener("news", lambda c, pid, channel, payload: heard.set_result((channel, payload)))
    await connection.execute("select pg_notify('news', 'hello')")
    same(await asyncio.wait_for(heard, 10), ("news", "hello"), "notification")


async def pool():
    async with asyncpg.create_pool(min_size=2, max_size=4) as connections:
        async def one(n):
            async with connections.acquire() as connection:
                return await connection.fetchval("select $1::int * 2", n)
        same(await asyncio.gather(*(one(n) for n in range(40))), [n * 2 for n in range(40)], "pool")


async def main():
    connection = await asyncpg.connect()
    for step in (round_trips, tables, copies, transactions, cancel_and_listen):
        await step(connection)
        print(f"{step.__name__} ok", flush=True)
    await connection.close()
    await pool()
    print("pool ok")


asyncio.run(main())
