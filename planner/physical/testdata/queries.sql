-- plain
select a, b from r
select a + 1, b * 2 from r where a is not null
select * from r where a = 1 and b = 2
select 1
select 1 where false
select distinct a from r
select count(*) from r
select count(*), count(a), sum(a), min(b), max(b), avg(b) from r
select a, count(*), sum(b) from r group by a
select a, count(*) from r group by a having count(*) > 1
select a % 2, count(distinct b) from r group by 1
select sum(b) filter (where a > 1), count(*) filter (where b is null) from r
select x, string_agg(k::text, ',' order by k) from t group by x
select a, b from r order by a nulls first, b desc nulls last limit 3
select a, b from r order by a, b limit 2 offset 1
select distinct on (a) a, b from r order by a, b desc
select distinct on (e) e, k, x from t order by e, k desc
select big, k from t where big = 2
select n + k, x || '!' from t
select count(*) from (select distinct a, b from r) q
select max(k) from t where x = 'none'
select case when b = 0 then null else 10 / b end from r
select * from (values (1, 'a'), (2, 'b')) v(i, s)
-- joins
select * from r join s on a = c
select * from r left join s on a = c
select * from r right join s on a = c
select * from r full join s on a = c
select * from r, s where a = c and b < d
select * from r left join s on a = c and b < d
select * from r left join s on a = c where d > 5
select * from r left join s on a = c where d is null
select * from r left join s on a = c and d > 5 and a > 1
select * from r full join s on a = c where a > 1
select * from r full join s on a = c where a > 1 and d > 1
select * from r full join s on a = c and b is not null
select * from r cross join s
select k, a, c from t join r on k = a join s on k = c
select k, a, c from t, s, r where k = a and c = a
select k, a, c from r, s, t where k = a and k = c
select k, big, a from t join r on big = a
select * from r x join r y on x.a = y.b
select * from r x left join r y on x.a = y.b left join s on y.a = c
select * from t left join (r join s on a = c) on k = a
select * from (select a, count(*) n from r group by a) q join t on q.a = t.k
select * from r join s on a is not distinct from c
select * from r join s on a = c or b = d
select a, d from r natural join (select c as a, d from s) q
-- exists, in
select * from r where exists (select 1 from s where c = a)
select * from r where not exists (select 1 from s where c = a)
select * from r where exists (select 1 from s where c = a and d > b)
select * from r where not exists (select 1 from s where c = a and d > b)
select * from r where exists (select 1 from s)
select * from r where exists (select count(*) from s where c = a)
select * from r where a in (select c from s)
select * from r where a not in (select c from s)
select * from r where a not in (select c from s where c is not null)
select * from r where a not in (select c from s where false)
select * from r where b not in (select d from s where c = a)
select * from r where b in (select d from s where c = a)
select * from r where b not in (select d from s where c = a and d is not null)
select * from r where (a, b) in (select c, d from s)
select * from r where (a, b) not in (select c, d from s)
select * from r where (a, b) not in (select k, e from t)
select a, b, a in (select c from s) from r
select a, b, a not in (select c from s where d > 5) from r
select a, b, exists (select 1 from s where c = a) from r
select a, b, not exists (select 1 from s where c = a and d = b) from r
select * from r where a in (select c from s) or b = 4
select * from r where not (a in (select c from s) and b = 2)
select * from r where a > all (select c from s where c is not null)
select * from r where a >= all (select c from s where d > 15)
select * from r where a < any (select c from s)
select * from r where a <> any (select c from s)
select * from r where a = all (select c from s where c = a)
select a, a < all (select c from s) from r
select a, b, b > any (select d from s where c = a) from r
select * from r where exists (select 1 from s where c = a) and exists (select 1 from t where k = b)
select * from r where exists (select 1 from s where c = a and exists (select 1 from t where k = c and e = b))
select * from r where a in (select c from s where d in (select e from t where k = b))
select * from r where a in (select max(c) from s group by d)
select * from r where a in (select c from s order by d desc nulls last, c limit 2)
select case when a in (select c from s) then 'in' when b is null then 'null' else 'out' end from r
select count(*) from r where a in (select c from s)
select a from r group by a having a in (select c from s)
select a, count(*) from r group by a having count(*) > (select count(*) from s where c = a)
-- scalar
select a, (select max(d) from s where c = a) from r
select a, (select count(*) from s where c = a) from r
select a, (select count(d) + 1 from s where c = a) from r
select a, (select coalesce(sum(d), -1) from s where c = a) from r
select a, (select max(d) from s) from r
select a from r where b < (select avg(d) from s)
select a from r where b < (select avg(d) from s where c = a)
select a, (select e from t where k = a) from r
select a, (select x from t where k = a and e = b) from r
select a, (select e + a from t where k = a) from r
select a, (select a + b) from r
select a, (select d from s where c = a order by d desc nulls last limit 1) from r
select a, (select max(d) from s where c = a and d > b) from r
select a, (select max(d) from s where c < a) from r
select a, (select count(*) from s where c < a or d = b) from r
select a, (select count(*) from s, t where c = a and k = d) from r
select a, (select sum((select max(e) from t where k = c)) from s where c = a) from r
select a, (select max(10 / nullif(d, 0)) from s where c = a) from r
select k, (select count(*) from (select distinct b from r where a = k) q) from t
select k, (select count(*) from (select b from r where a = k union select d from s where c = k) q) from t
select k, (select count(*) from (select b from r where a = k union all select d from s) q) from t
select k, (select sum(b) from (select b, row_number() over (order by b) rn from r where a = k) q where rn <= 2) from t
select (select a from r where false)
select (select count(*) from r)
select exists (select 1 from r where a = 9)
select a, b from r where (select count(*) from s where c = a) = 2
select a, b from r order by (select max(d) from s where c = a) nulls last, a, b limit 4
-- lateral
select * from r, lateral (select d from s where c = a) q
select * from r left join lateral (select d from s where c = a) q on true
select * from r left join lateral (select d from s where c = a) q on d > 5
select * from r, lateral (select count(*) n, max(d) m from s where c = a) q
select * from r left join lateral (select count(*) n from s where c = a) q on n > 0
select * from r, lateral (select d from s where c = a order by d nulls last limit 1) q
select * from r left join lateral (select d from s where c <= a order by d nulls last, c limit 2) q on true
select * from t, lateral (select k + 1 as k1) q
select * from t, lateral (select * from r where a = k) q, lateral (select * from s where c = b) z
select * from t, generate_series(1, k) g
select * from t left join lateral generate_series(1, e - 1) g on true
select k, g from t, lateral (select g from generate_series(k, 4) g where g % 2 = 0) q
select * from r, lateral (select a union select b) q(v)
select * from r, lateral (select a where a > 1 union all select b) q(v)
select * from r, lateral (values (a), (b), (7)) q(v)
select * from t, lateral (select distinct b from r where a <= k) q
select * from t, lateral (select sum(b) over (order by b, a) from r where a = k) q
select k, u from t, unnest(array[k, e, 7]) u
select k, u, o from t, unnest(array[k, e]) with ordinality z(u, o)
select * from t left join lateral (select c, count(*) from s where c = k group by c) q on true
select * from r, lateral (select * from s where c = a offset 1) q where false
-- set operations
select a from r union select c from s
select a from r union all select c from s
select a from r except select c from s
select a from r except all select c from s
select a from r intersect select c from s
select a from r intersect all select c from s
(select a, b from r except select c, d from s) union all select 1, 1
select a from r union select b from r union select c from s order by 1 limit 3
select k from t union select big from t
select count(*) from (select a from r union all select c from s) q where a > 1
-- grouping sets
select a, b, count(*) from r group by grouping sets ((a), (b), ())
select a, b, count(*), grouping(a, b) from r group by rollup (a, b)
select a, b, sum(b) from r group by cube (a, b)
select count(*), grouping(a) from r where false group by grouping sets ((a), ())
select a, sum(b) from r group by grouping sets ((a), (a))
select a, grouping(a) from r group by a
select a, count(*) from r group by rollup (a) having a is null
-- windows
select a, b, row_number() over (order by a, b) from r
select a, b, rank() over (partition by a order by b) from r
select a, b, sum(b) over (partition by a) from r
select a, b, count(*) over (), lag(b) over (order by a, b) from r
select a, b, sum(b) over (order by a, b rows between 1 preceding and current row) from r
select * from (select a, b, row_number() over (partition by a order by b, a) rn from r) q where rn <= 1
select * from (select a, b, rank() over (partition by a order by b) rk from r) q where rk <= 1
select * from (select a, b, rank() over (order by b) rk, count(*) over () n from r) q where rk < 3
select a from (select a, b, row_number() over (partition by a order by b desc) rn from r) q where rn = 1
select a, n from (select a, b, dense_rank() over (order by a) n from r) q where n <= 2
select a, sum(count(*)) over (order by a) from r group by a
select k, first_value(k) over (partition by e order by k), last_value(k) over (partition by e order by k) from t
select k, ntile(2) over (order by k), percent_rank() over (order by e, k), cume_dist() over (order by e) from t
-- with
with q as (select a, count(*) n from r group by a) select x.a, y.n from q x join q y on x.a = y.a
with q as (select * from r where a > 0) select * from q where b in (select n from (select count(*) n from q group by a) z)
with q as (select a from r), z as (select a from q union all select a from q) select a, count(*) from z group by a
with recursive f(n) as (select 1 union all select n + 1 from f where n < 5) select * from f
with recursive f(n) as (select a from r union select c + 1 from f join s on n = c) select * from f
with recursive f(n, m) as (select a, 1 from r where a = 1 union select d, m + 1 from f join s on n = c where m < 3) select * from f
select k, (with recursive f(n) as (select k union all select n + 1 from f where n < 4) select sum(n) from f) from t
with q as (select a, b from r) select * from q, lateral (select count(*) from q z where z.a = q.a) w
-- guards: conditions that keep an expression from failing
select * from (select * from r where b <> 0) q where 10 / b > 2
select a, case when b <> 0 then 10 / b else 0 end from r where a is not null
select * from t where k in (select a from r where b <> 0 and 4 / b = 2)
select a, coalesce(b, 1 / (a - a)) from r where b is not null
select sum(10 / b) filter (where b <> 0) from r
select a, sum(10 / b) filter (where b <> 0) over (partition by a) from r
select * from s join t on c = k where 10 / (c - 4) < 100
