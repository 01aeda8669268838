-- One statement a line: what PostgreSQL says of it (result columns, parameter types, or the error) the binder must say too.
-- /* describe only */: its rows are not compared, for want of an aggregate or function in the reference interpreter.
-- names of result columns
select 1
select 'x', null, 1.5, 10000000000, 123456789012345678901234567890, true
select a, t.b, public.t.c, b as "B b" from t
select a + 1, -a, a::text, cast(a as bigint), upper(b), t.a::int8 from t
select case when e then 1 else 2 end, case a when 1 then b else 'z' end, case when e then a end from t
select case when e then 1 else f end, case when e then c else a end from t
select coalesce(b, 'x'), nullif(a, 2), greatest(a, g), least(c, a, f) from t
select exists(select 1), array[1, 2], array(select a from t), (select max(a) from t), row(1, 'a')
select current_date, current_timestamp, localtime, localtimestamp, current_time, current_user, session_user, user, current_catalog, current_schema, current_role
select current_timestamp(3), localtime(2)
select date '2020-01-01', interval '1 day', timestamp '2020-01-01 00:00', time '10:00', timestamptz '2020-01-01 00:00+00'
select extract(year from d), date_part('month', d), date_trunc('day', d) from t
select position('a' in b), substring(b from 2 for 3), trim(both ' ' from b), overlay(b placing 'x' from 1), trim(leading from b), trim(trailing 'x' from b) from t
select d at time zone 'UTC', (h + time '10:00') at time zone 'Europe/Paris' from t
select a is null, b is not null, e is true, e is not false, e is unknown from t
select a between 1 and 2, a not between 1 and 2, a between symmetric 2 and 1, a not between symmetric 3 and 1 from t
select b like 'x%', b ilike 'x', b not like '_', b similar to '(a|b)', b ~ 'x', b like 'a!%' escape '!' from t
select a in (1, 2, 3), a not in (1, 2), b in ('x', 'y'), a in (1, 2.5, null), a in (g, 1, 2) from t
select a = any(array[1, 2]), a <> all('{1,2}'), b = any('{x,y}'), a < some(array[1.5]) from t
select a is distinct from 1, b is not distinct from null, a is distinct from g from t
select (a, b) = (1, 'x'), (a, b) < (1, 'x'), (a, b) is distinct from (1, 'y'), (a, b) in ((1, 'x'), (2, 'y')) from t
select not e, e and a > 1, e or not e, (e and true) or false from t
select grouping(a), a from t group by rollup(a)
select b collate "C" from t
select t.* from t
select t.*, a from t
select * from t, u
select t from t
select (t).a, (t).* from t
select (row(1, 2)).f1
select ia[1], ia[1:2], ia[:2], ta[2], j['x'], (ia[1]) from arr
select j -> 'a', j ->> 'a', j #> '{a,b}', j @> '{}', js -> 0, j ? 'x', j || '{}', j - 'a' from arr
select count(*), count(a), sum(a), sum(g), sum(c), avg(a), avg(f), min(b), max(h), bool_and(e), string_agg(b, ',' order by a), array_agg(a order by a) from t
select count(distinct a), sum(distinct a), count(*) filter (where e), array_agg(a order by b desc), string_agg(distinct b, ',' order by b) from t
select percentile_cont(0.5) within group (order by f), percentile_disc(0.5) within group (order by a), mode() within group (order by b) from t /* describe only */
select percentile_cont(array[0.1, 0.9]) within group (order by f) from t /* describe only */
select rank(1) within group (order by a), dense_rank(1, 'x') within group (order by a, b) from t /* describe only */
select stddev(a), variance(f), corr(f, f), regr_slope(f, a), bit_and(a), every(e), json_agg(b), jsonb_object_agg(b, a) from t /* describe only */
select row_number() over (), rank() over (order by a), lag(b) over w, lead(a, 1, 0) over w, first_value(b) over w, ntile(4) over w, sum(a) over (partition by b) from t window w as (order by a)
select sum(a) over (order by h range between interval '1 day' preceding and current row), count(*) over (order by a rows between 1 preceding and 1 following exclude ties), avg(c) over (order by g groups 2 preceding) from t /* describe only */
select nth_value(b, 2) over (partition by e order by a desc nulls last), cume_dist() over (order by a), percent_rank() over (order by a), last_value(a) over (order by a rows between unbounded preceding and unbounded following) from t
select generate_series(1, 3), a from t
select unnest(ia), unnest(ta) from arr
select generate_series(1, 2) + 1 as n
select jsonb_array_elements(j), jsonb_object_keys(j) from arr
select int4('3'), text(5), date('2020-01-01'), float8(1)
select random(), now(), clock_timestamp(), gen_random_uuid()
select "Id", "select" from "Mixed Case"
select "Mixed Case"."Id" from "Mixed Case"
select 1 as a, 2 as a, 3 as "A"
select interval '1' day, interval '1:30' hour to minute, '2 days'::interval
select a::numeric(5, 1), b::varchar(3), b::char(2), d::date, d::timestamp(0) from t
select $1::int, $2::text
select a + $1, b || $2, $3 from t
select * from t where a = $1 and b like $2 and c > $3
select coalesce($1, 1), greatest($2, a) from t
select a from t limit $1 offset $2
select $1 = $1::int
select case when $1 then $2 else 1 end
select array[$1, 2], $2 = any(ia) from arr
select $1 in (1, 2), 1 in ($2, $3)
select sum(a) filter (where $1) from t
select $2::int, $1::text
select json_object('a': 1, 'b': b), json_array(1, 2), json_arrayagg(a), json_objectagg(b: a) from t
select jsonb_build_object('a', a), to_jsonb(b), row_to_json(t), to_jsonb(t) from t
-- FROM
select x.a from t as x
select x.p, x.b from t as x(p)
select * from t as x(p, q)
select p from t as x(p) order by p
select * from (select a, b from t) s
select * from (select a, b from t) s(c1)
select s.c1, s.b from (select a, b from t) s(c1)
select a from (select a from t)
select * from (values (1, 'x'), (2, 'y')) as v(n, s)
select * from (values (1), (2.5), (null)) q
values (1, 'a'), (2, null)
values (1), (2) order by 1 desc limit 1
select * from t join u on t.a = u.a
select * from t join u using (a)
select a, t.a, u.a from t left join u using (a)
select a from t full join u using (a)
select a, b, x from t natural join u
select * from t natural left join u
select * from t right join u on t.a = u.a and u.y > 1
select * from t cross join u cross join w
select * from (t join u on t.a = u.a) as j(c1, c2)
select j.a, t.a from t join u using (a) as j
select j.* from t join u using (a) as j
select * from t join u using (a) join w on k1 = a
select * from t, lateral (select * from u where u.a = t.a) s
select * from t left join lateral (select max(y) as m from u where u.a = t.a) s on true
select * from t, lateral (select t.a as q) s, lateral (select s.q + 1 as r) s2
select * from generate_series(1, 3)
select * from generate_series(1, 3) as g
select g, g.g from generate_series(1, 3) g
select g.n from generate_series(1, 3) g(n)
select * from generate_series(1, 3) with ordinality
select * from generate_series(1, 3) with ordinality as g(n, o)
select * from unnest(array[1, 2], array['a', 'b'])
select * from unnest(array[1, 2], array['a', 'b']) with ordinality as q(a, b, c)
select * from arr, unnest(ia) as x, unnest(ta) with ordinality as y(v, o)
select * from arr left join unnest(ia) as x on true
select * from rows from (generate_series(1, 2), unnest(array['a'])) as q(a, b)
select * from jsonb_each('{"a": 1}')
select * from jsonb_each_text('{"a": 1}') as e(k, v)
select * from arr, jsonb_array_elements(j) as el
select * from jsonb_to_recordset('[{"a": 1}]') as x(a int, b text) /* describe only */
select * from json_to_record('{"a": 1}') as x(a int) /* describe only */
select * from jsonb_array_elements_text('["x"]')
select * from current_date
select * from upper('x')
select * from upper('x') as q
select * from regexp_matches('abc', 'b')
select * from string_to_table('a,b', ',')
select * from generate_series(timestamp '2020-01-01', timestamp '2020-01-02', interval '1 hour') as g(ts)
select t.a, s.* from t, generate_series(1, t.a) as s
select * from v
select * from v2
select v.a1, x.a from v, v x where v.a = x.a
select * from public.t, public.u
select * from t, public.u where public.t.a = u.a
select t.ctid is null from (select 1 as ctid) t
select tableoid from t
-- GROUP BY
select a, count(*) from t group by a
select a + 1, count(*) from t group by a + 1
select a + 1 + 1 from t group by a + 1
select b, sum(a) as s from t group by 1 order by 2 desc
select b as grp, count(*) from t group by grp
select b, c, count(*) from t group by a
select t.b, u.x, count(*) from t join u using (a) group by t.a, u.x
select b, max(c) from t group by b having max(c) > 1
select count(*) from t having count(*) > 1
select 1 from t having true
select b, e, count(*), grouping(b, e) from t group by grouping sets ((b), (e), ())
select b, e from t group by cube(b, e)
select b, e, h from t group by b, rollup(e, h)
select b, e from t group by grouping sets (rollup(b), cube(e))
select b from t group by distinct rollup(b), rollup(b)
select (b, e) from t group by (b, e)
select b from t group by b, b
select date_trunc('day', d) as day, sum(a) from t group by date_trunc('day', d)
select date_trunc('day', d) as day, sum(a) from t group by day order by day
select count(*) from t group by ()
select a % 2 as parity, count(*) from t group by parity order by parity
select b, (select max(y) from u where u.a = t.a) from t group by a, b
select b, (select count(*) from u where x = b) from t group by b
select b from t group by b order by count(*), max(a)
select case when a > 1 then 'x' end, count(*) from t group by case when a > 1 then 'x' end
select k2, v from w group by k1, k2
select sum(a), (select sum(y) from u where u.a = max(t.a)) from t
select (select sum(t.a) from u) from t
select (select count(t.a) from u limit 1), max(a) from t
select (select max(t.a + u.a) from u) from t
select u.a, (select count(*) filter (where u.a > 1)) from u group by u.a
select generate_series(1, 2) as g, count(*) from t group by g
select a, sum(a) over (order by sum(a)) from t group by a
select b, rank() over (order by count(*) desc) from t group by b
select sum(sum(a)) over () from t
select distinct b from t
select distinct b, a from t order by a
select distinct on (b) b, a from t order by b, a
select distinct on (b) a from t order by b, c desc
select distinct on (a + 1) b from t order by a + 1
select distinct on (1) a, b from t
select distinct count(*) from t group by b
-- ORDER BY, LIMIT
select a from t order by a
select a from t order by b
select a as x from t order by x desc nulls first
select a from t order by 1, 2 - 1
select a, -a as a2 from t order by a2 + 0
select a from t order by a using >
select a as b, b as a from t order by a
select a from t limit 10
select a from t order by a limit 10 offset 5
select a from t order by b fetch first 3 rows with ties
select a from t offset 1
select a from t limit null
select a from t limit all
select a from t limit '3'
select a from t order by (select max(y) from u where u.a = t.a)
select a from t for update
select b from t order by lower(b), length(b) desc
-- set operations
select 1 union select 2
select 1 union all select 2.5
select 'a' union select 'b'
select 'a' as x union select b from t
select null union select 1
select a, b from t union all select a, x from u
select a from t intersect select a from u
select a from t except all select a from u
select a from t union select a from u order by a
select a as q from t union select y from u order by q limit 3
select a from t union select a from u order by 1
(select a from t order by a limit 1) union all (select a from u)
select 1 union (select 2.5 union select 3)
select '1' union select 2
select null union select null
select null union select null union select 1
values (1) union values (2.5)
select a from t union select a from u union all select k1 from w
select a, b from t except (select a, x from u intersect select k1, k2 from w)
select array[1] union select '{2}'
select h from t union select d from t
select a from ((select a from t) union (select 1)) s
with q as (select 1 as x) select x from q union select 2
-- WITH
with q as (select a, b from t) select * from q
with q(x) as (select a, b from t) select * from q
with q as (select a from t), r as (select a + 1 as b from q) select q.a, r.b from q, r
with q as (select 1 as x) select (select x from q), q.x from q
with q as (select a from t) select * from q q1 join q q2 on q1.a = q2.a
with q as not materialized (select 1) select * from q
with t as (select 5 as z) select * from t
with q as (select 'x') select * from q
with recursive r(n) as (select 1 union all select n + 1 from r where n < 5) select * from r
with recursive r as (select a, b from t where a = 1 union select u.a, r.b from u join r on u.y = r.a) select * from r
with recursive r(n) as (values (1) union all select n + 1 from r where n < 4) select sum(n) from r
with recursive a as (select 1 as x), b as (select x from a) select * from b
with recursive b as (select x from a), a as (select 1 as x) select * from b
select * from t where a in (with q as (select 1 as x) select x from q where x = t.a)
with q as (select 1) select * from (with q as (select 2 as z) select * from q) s
-- subqueries
select a from t where exists (select 1 from u where u.a = t.a)
select a from t where a in (select a from u)
select a from t where a not in (select y from u)
select a from t where (a, b) in (select a, x from u)
select a from t where (a, b) not in (select a, x from u)
select a from t where a > all (select y from u where u.x = t.b)
select a from t where a = some (select 1.5)
select a from t where b = (select x from u order by y limit 1)
select (a, b) = (select 1, 'x') from t
select a from t where row(a, b) = (select a, x from u limit 1)
select (select b), (select a + g) from t
select (select (select t.a)) from t
select (select array_agg(a order by b) from t), array(select b from t order by a)
select a from t t1 where exists (select from t t2 where t2.a = t1.a)
select (select u.x from u where u.a = t.a order by u.y limit 1) from t
select * from t where a = (select max(a) from t t2 where t2.b = t.b)
select a, (select string_agg(x, ',') from u where u.a = t.a) from t
select * from t where (select true)
select a from t where a < any (select a from u) or exists (select from u)
select * from t left join u on t.a = u.a and u.y in (select k1 from w)
select * from t join u on exists (select 1 from w where w.k1 = t.a and w.k2 = u.x)
-- types and operators
select a + g, a + c, a + f, a / 2, a % 2, a ^ 2, f * c, g - a, |/ f, @ a, a & 1, a << 2, ~ a from t
select h + 1, h - h, h - 1, d - d, d + interval '1 day', d - h, h + interval '1 day', interval '1 day' * 2, time '10:00' + interval '1 hour' from t, w
select b || a, b || 'x', 'x' || b, a || 'y', array[1] || 2, 1 || array[2], array[1] || array[2] from t
select ta || array['x'], ia || '{1}'::int[] from arr
select '1' + 1, 1 + '1', '1.5' + 1.5, '2020-01-01' - h from t
select 'a' = 'b', 'a' < b, null = null, null + 1 from t
select z + z, z + a, y + z, r + f, r + 1, x || x, x = b, length(x), upper(x) from u, t
select ch = 'a', ch || 'b', length(ch), by || '\x00', uu = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', tm > '10:00' from arr
select round(c), round(c, 1), round(f), abs(a), abs(f), ceil(c), floor(f), power(2, 3), sqrt(2), mod(5, 3), sign(f), trunc(c, 1) from t
select lower(b), length(b), substr(b, 2), replace(b, 'a', 'b'), split_part(b, ',', 1), lpad(b, 5), concat(a, b, e), concat_ws(',', a, b), format('%s', a), left(b, 2), reverse(b), md5(b), repeat(b, 2) from t
select to_char(d, 'YYYY'), to_char(a, '999'), to_date('2020', 'YYYY'), to_timestamp(0), to_number('1', '9'), age(d), date_bin('1 hour', d, d), make_date(2020, 1, 1), make_interval(days => 1) from t /* describe only */
select array_length(ia, 1), cardinality(ia), array_append(ia, 1), array_cat(ia, ia), array_position(ta, 'x'), array_to_string(ta, ','), string_to_array('a,b', ','), unnest(ia) from arr
select jsonb_typeof(j), jsonb_extract_path_text(j, 'a', 'b'), jsonb_set(j, '{a}', '1'), jsonb_build_array(1, 'x'), jsonb_array_length(j) from arr
select greatest(1, 2.5, '3'), least('a', b), coalesce(null, 1), coalesce(null, null), nullif(1, 2.0), nullif('a', 'b') from t
select case when true then null else 1 end, case when true then 'a' else b end, case when true then 1 when false then 2.5 end from t
select array[1, 2.5], array['a', b], array[null], array[null, 1], array[[1, 2], [3, 4]], array[]::int[], array[ia, ia], '{1,2}'::int[] from t, arr
select array['1', '2']::int[], array[1, 2]::text[], array[[1], [2]]::bigint[]
select 1::text || 2, (1 = 1)::int, true::text, 'true'::boolean, '1'::int + 1, 1.5::int, '12'::numeric(4, 1)
select generate_series(1, 5, 2), generate_series('2020-01-01'::timestamp, '2020-01-02', '1 hour')
select 2147483647, 2147483648, 9223372036854775807, 9223372036854775808, 0x1F, 1_000, 1e3, .5
select -2147483648, - 5, + a, - c from t
select a::regclass::text from t
select 'now'::timestamptz is not null
select width_bucket(5.0, 0, 10, 5), width_bucket(f, 0, 10, 5) from t
select date_trunc('hour', ts), extract(epoch from i), extract(epoch from ts), i * 1.5, ts - ts from w
select min(x), max(x), min(ch), max(tm), sum(i), avg(i), max(uu::text) from u, arr, w
select num_nulls(a, b), num_nonnulls(variadic ia) from t, arr
select concat(variadic ta), format('%s', variadic ta), jsonb_extract_path(j, variadic ta) from arr
select substring('abc' similar 'a#"b#"c' escape '#')
select q.x from (select (date '2020-01-01', date '2020-02-01') overlaps (date '2020-01-15', date '2020-03-01') as x) q
select $1::int[] , $2::numeric(5, 2)
select pg_typeof(1), pg_typeof(null), pg_typeof(b) from t
select version(), current_setting('x'), current_database(), current_schemas(true), pg_backend_pid()
select bool_or(a > 1) over (), count(*) filter (where e) over (partition by b order by a) from t
select sum(price) from bid group by auction, date_trunc('minute', date_time)
select auction, count(*) from bid b join auction a on b.auction = a.id where b.date_time between a.date_time and a.expires group by auction
select p.auction, p.price from (select auction, price, row_number() over (partition by auction order by price desc) as rn from bid) p where rn <= 3
select a from t where e
select a from t where a > 1 and (b = 'x' or c < 2) and not e
select a from t where true
select a from t where null
select a from t where 't'
select from t
select distinct from t
select string_agg(distinct x, ',' order by x) from u
select f, percentile_cont(f / 10) within group (order by a) from t group by f /* describe only */
select 't'::regclass, 'public.t'::regclass, 'int4'::regtype, '"Mixed Case"'::regclass, '1259'::regclass, 'character varying'::regtype
select array_agg(a), string_agg(b, '-') from (select * from t order by g desc, a) s
select b, array_agg(q) from (select a as q, b from t order by c desc nulls last limit 4) s group by b
select array_agg(x) from (select x from u union all select k2 from w order by x desc) s
select s.a from (select a from t order by b) s
select count(*) from (select a from t order by b) s
