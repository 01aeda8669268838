-- Statements that PostgreSQL refuses: SQLSTATE, text and position must be the same.
select x
select nosuch from t
select t.nosuch from t
select nosuch.a from t
select public.t.nosuch from t
select public.nosuch.a from t
select a from nosuch
select a from nosuch.t
select a from public.nosuch
select t.a from t as x
select x.a, t.b from t as x
select a from t, u
select t.a from t, t
select * from t, t
select * from t x, u x
select * from t join t on true
select 1 from t, (select 1) as t
select *
select u.* from t
select a.b.c.d.e from t
select 1 where 1
select a from t where a
select a from t where b
select a from t where c = 'x'
select a from t where a = 'x'
select a from t where b = 1
select a from t where b > a
select a from t where a like 'x'
select a + b from t
select a + e from t
select - b from t
select e + e from t
select h + h from t
select 1 = 'x'
select 1 + 'abc'
select 'x'::int
select '2020-13-01'::date
select date '2020-02-30'
select interval 'garbage'
select 'zz'::boolean
select '{1,x}'::int[]
select '{'::jsonb
select 'x'::uuid
select 'x'::nosuchtype
select a::nosuch from t
select a::date from t
select e::date from t
select h::int from t
select b::varchar(0) from t
select 1::numeric(2000)
select cast(array[1] as int)
select nosuchfunc(1)
select nosuchfunc()
select upper(1, 2)
select upper(a) from t
select length(a) from t
select round(b) from t
select sum(b) from t
select avg(b) from t
select sum(*) from t
select count() from t
select upper(*) from t
select sum(a, a) from t
select upper(distinct b) from t
select upper(b order by b) from t
select upper(b) filter (where e) from t
select upper(b) over () from t
select upper(b) within group (order by a) from t
select percentile_cont(0.5) from t
select sum(a) within group (order by b) from t
select row_number() from t
select rank() within group (order by a) from t
select nosuch => 1
select make_interval(nosuch => 1)
select make_interval(days => 1, days => 2)
select make_interval(days => 1, 2)
select coalesce(1, 'x')
select coalesce(1, b) from t
select greatest(1, 'x')
select greatest(a, b) from t
select case when 1 then 2 end
select case when true then 1 else b end from t
select case a when 'x' then 1 end from t
select case when true then a else e end from t
select nullif(1, 'x')
select nullif(a, e) from t
select array[1, 'x']
select array[1, b] from t
select array[]
select array[1, array[2]]
select 1 in ('a', 'b')
select a in (b) from t
select a in (1, b) from t
select a = any(1) from t
select a = any(b) from t
select a = any(array['x']) from t
select a + any(array[1]) from t
select not a from t
select e and a from t
select a or e from t
select 1 and 2
select b is true from t
select a is unknown from t
select a from t where sum(a) > 1
select a from t where row_number() over () = 1
select a from t where generate_series(1, 2) = 1
select sum(sum(a)) from t
select sum(a + count(*)) from t
select max(row_number() over ()) from t
select sum(generate_series(1, 2)) from t
select row_number() over (order by row_number() over ()) from t
select sum(row_number() over ()) over () from t
select a, sum(a) from t
select b, sum(a) from t
select b from t group by e
select t.b, count(*) from t group by e
select a + 1 from t group by a + 2
select b, max(a) from t group by 1 having c > 1
select b from t group by b order by a
select count(*) from t order by b
select t.b, u.x from t join u using (a) group by u.a
select c from t group by b, e
select k2, v from w group by k1
select * from t group by b
select t.* from t group by b
select b, (select max(y) from u where u.a = t.c) from t group by b
select b from t group by sum(a)
select b from t group by row_number() over ()
select b from t group by 2
select b from t group by 0
select b from t group by 'x'
select b from t group by nosuch
select js from arr group by js
select distinct js from arr
select js from arr order by js
select js from arr union select js from arr
select count(distinct js) from arr
select max(js) from arr
select max(e) from t
select a from t order by 2
select a from t order by 0
select a from t order by nosuch
select a as x, b as x from t order by x
select a from t order by 'x'
select a from t order by 1.5
select a as z from t order by z + 1
select distinct b from t order by a
select distinct b from t order by a + 1
select distinct on (b) a from t order by a
select distinct on (b, e) a from t order by b, a
select distinct on (nosuch) a from t
select distinct on (2) a from t
select a from t limit 'x'
select a from t limit b
select a from t limit a
select a from t offset b
select a from t limit sum(1)
select a from t limit true
select 1 union select 'x'
select 1 union select 1, 2
select a from t union select b from t
select a, b from t union select b, a from t
select 1 intersect select 2, 3
select a from t except select e from t
select a from t union select a from u order by b
select a from t union select a from u order by a + 1
select a from t union select a from u order by 2
select a from t union select x.a from u
values (1), (1, 2)
values (1), ('x')
values (a)
values (sum(1))
select * from (values (1, 2)) v(a, b, c)
select * from t as x(a, b, c, d, e, f, g, h, i)
select * from (select 1) s(a, b)
select * from t join u on t.a
select * from t join u on nosuch = 1
select * from t join u using (b)
select * from t join u using (nosuch)
select * from t join u using (a, a)
select a from t join u on t.a = u.a
select * from t join w on t.a = u.a, u
select * from t, u join w on t.a = w.k1
select * from t join u on sum(t.a) > 1
select * from t join u on row_number() over () = 1
select * from t join u on generate_series(1, 2) = 1
select * from t, (select * from u where u.a = t.a) s
select * from t right join lateral (select t.a) s on true
select * from t full join lateral (select t.a) s on true
select * from t, lateral (select sum(t.a)) s
select * from (select a from t) s where s.b = 1
select * from (select nosuch from t) s
select (select a, b from t)
select (select * from t)
select array(select a, b from t)
select a from t where a in (select a, b from t)
select a from t where (a, b) in (select a from t)
select a from t where a in (select b from t)
select a from t where a = (select b from t)
select a from t where (a, b) = (select a from t)
select a from t where a = all (select b from t)
select (select nosuch from t)
select (select t.nosuch from u) from t
select exists(select nosuch)
select (1, 2) = (1, 2, 3)
select (1, 'a') = (1, 2)
select row() = row()
select (a, b) < (b, a) from t
select a.x from t
select (t).nosuch from t
select (a).b from t
select (row(1, 2)).f3
select a[1] from t
select ia['x'] from arr
select ia[b] from arr, t
select b[1:2] from t
select b collate "nosuch" from t
select a collate "C" from t
select $1
select $1 + $2
select $1::int, $1::text
select $1 = 1 and $1 = 'x'::text
select a from t where $1
select * from generate_series('a', 'b')
select * from nosuchfunc(1)
select * from generate_series(1, generate_series(1, 2))
select * from sum(1)
select * from jsonb_to_recordset('[]')
select * from generate_series(1, 2) as g(a int)
select * from jsonb_each('{}') as g(a int)
select * from generate_series(1, 2) g(a, b)
select * from row_number() over ()
select * from t, generate_series(1, b)
select case when true then generate_series(1, 2) end
select coalesce(generate_series(1, 2), 1)
select sum(a) over w from t
select sum(a) over (w order by b) from t window w as (order by a)
select sum(a) over (w partition by b) from t window w as (order by a)
select sum(a) over (w) from t window w as (order by a rows 1 preceding)
select sum(a) over w from t window w as (order by a), w as (order by b)
select sum(a) over (order by nosuch) from t
select sum(a) over (partition by nosuch) from t
select sum(a) over (order by a rows b preceding) from t
select sum(a) over (order by a rows 'x' preceding) from t
select sum(a) over (order by b range 1 preceding) from t
select sum(a) over (range 1 preceding) from t
select sum(a) over (order by a, b range 1 preceding) from t
select sum(a) over (groups 1 preceding) from t
select sum(a) over (order by h range 'x' preceding) from t
select sum(distinct a) over () from t
select sum(a order by a) over () from t
select row_number() filter (where true) over () from t
select rank(a) over () from t
select ntile('x') over () from t
select percentile_cont(0.5) within group (order by f) over () from t
select percentile_cont(0.5) within group (order by b) from t
select string_agg(distinct b, ',' order by a) from t
select string_agg(b) from t
select array_agg(distinct a order by b) from t
select sum(a) filter (where b) from t
select count(*) filter (where sum(a) > 1) from t
select grouping(b) from t
select grouping(b) from t group by a
select a from t where grouping(a) = 1
with q as (select 1), q as (select 2) select 1
with q(a, b) as (select 1) select * from q
with q as (select nosuch) select 1
with q as (select 1) select * from q, nosuch
with r as (select * from r) select * from r
with a as (select * from b), b as (select 1) select * from a
with recursive r as (select 1 union all select * from r, r r2) select * from r
with recursive r as (select * from r) select * from r
with recursive r as (select * from r union all select 1) select * from r
with recursive r(n) as (select 1 union all select n + 1.5 from r) select * from r
with recursive r(n) as (select 1 union all select n from t left join r on true) select * from r
with recursive r(n) as (select 1 union all select a from t where a in (select n from r)) select * from r
with recursive r(n) as (select 1 union all select n + 1, 2 from r) select * from r
with recursive r(n) as (select 1 intersect select n from r) select * from r
with recursive a as (select * from b), b as (select * from a) select * from a
with recursive r(n) as (select 1 union all select n + 1 from r order by 1) select * from r
with recursive r(n) as (select 1 union all select n + 1 from r limit 1) select * from r
select * from v where nosuch = 1
select nosuch from v
select v.b.c from v
select t.a from t left join u on u.a = t.a where u.nosuch = 1
select "A" from t
select A from "T"
select "id" from "Mixed Case"
select 'é', nosuch from t
select '日本', a + b from t
select b, 'ß' || nosuch from t
select extract(nosuch2 from b) from t
select date_trunc(1, d) from t
select to_char(b, 'x') from t
select jsonb_build_object(variadic 1)
select concat(variadic b) from t
select default
select a from t where a = default
select (select sum(a) from u) from t where (select sum(t.a)) > 1
select max(a) from t where (select max(t.a) from u) = 1
select a from t having a > 1
select b from t having count(*) > 1
select abs('x')
select abs(null), abs(b) from t
select length(null, 1)
select a = b from t
select d = h, d = b from t
select row(1, 2) = 1
select 'a' 'b'
select sum(a) from t group by 1
select b, sum(a) + 1 as s from t group by b, s
select rank() over (order by a) from t group by 1
select a from t union select a from u for update
select distinct a from t for update
select a from t group by a for share
select percentile_cont(f) within group (order by f) from t
select b, percentile_cont(f) within group (order by a) from t group by b
select rank(3) within group (order by b) from t
select string_agg(distinct 'a', ',' order by 'a') from u
select 'nosuch'::regclass
select 'public.nosuch'::regclass
select 'nosuch'::regtype
select 'a b'::regclass
select s.tt.a from t as tt
select a from t where (d + interval '1 hour') between a and 2
