-- INSERT, UPDATE, DELETE: RETURNING columns, parameter types, errors.
insert into t values (1)
insert into t values (1, 'x', 2.5, now(), true, 1, 2, '2020-01-01')
insert into t (a, b) values (1, 'x'), (2, null)
insert into t (b, a) values ('x', 1) returning a, b as q, *
insert into t (a, b) select a, x from u
insert into t (a, b) select 1, 'x'
insert into t (a, b) values ($1, $2)
insert into t (a, c, h) values ($1, $2, $3) returning a + $4
insert into t (a, g) select a, sum(y) from u group by a
insert into t (a, b) values (1, default)
insert into t default values
insert into t (a) values ((select max(a) from u)), (3)
insert into t as x (a) values (1) returning x.a
insert into t (a) select $1
insert into t (a, c) values ('1', '2.5')
insert into t (a, h) values (1, '2020-01-01'::timestamp)
insert into t (a, b) values (1, 2)
insert into t (a, b) values (1, 'x') on conflict do nothing
insert into t (a, b) values (1, 'x') on conflict (a) do nothing
insert into t (a, b) values (1, 'x') on conflict (a) do update set b = excluded.b
insert into t (a, b) values (1, 'x') on conflict (a) do update set b = t.b || excluded.b, c = default where t.a > 1 returning *
insert into t (a, b) values (1, 'x') on conflict (a) do update set (b, c) = ('y', 3)
insert into t (a, b) values (1, 'x') on conflict on constraint t_pkey do update set b = $1
insert into w (k1, k2) values (1, 'x') on conflict (k2, k1) do nothing
insert into arr (id, ia, j, ch) values (1, '{1,2}', '{"a": 1}', 'abc'), (2, array[1], '[]', null)
insert into "Mixed Case" ("Id", "select") values (1, 'x') returning "Id"
with q as (select 1 as x) insert into t (a) select x from q
insert into t (a) with q as (select 1 as x) select x from q
insert into t (a) values (1) returning old.a, new.a, t.a
insert into t (a) select a from t where a > 1 order by a limit 1
insert into t select * from t
insert into t (a, b) (values (1, 'x') union all select a, x from u)
insert into u (a, y, z, x) values (1.6, 2, 3, 4)
insert into u (z) values (70000)
update t set b = 'x'
update t set b = 'x', a = a + 1 where a = 1
update t set b = u.x from u where u.a = t.a
update t as z set b = 'x' where z.a = 1
update t set (b, c) = ('x', 1)
update t set (b, c) = (select x, y from u where u.a = t.a)
update t set (b, c) = row(default, 2)
update t set b = default
update t set b = $1 where a = $2
update t set c = (select max(y) from u where u.a = t.a) where exists (select 1 from u where u.a = t.a) returning *
update t set b = 'x' from u join w on u.a = w.k1 where t.a = u.a returning t.a, u.x, w.v
update t set a = '5', h = '2020-01-01', c = 1, f = 1
update t set b = 1
update t set b = 'x' returning old.b, new.b, b, old.*
update t set b = 'x' returning with (old as o, new as n) o.b, n.b
with q as (select 1 as x) update t set a = q.x from q
delete from t
delete from t where a = 1
delete from t using u where u.a = t.a
delete from t as z where z.b = $1 returning *
delete from t where a in (select a from u)
delete from t using u, w where u.a = t.a and w.k1 = u.a returning t.a, u.a, w.*
delete from t returning old.a, new.a
delete from t where e
insert into t (a) values (generate_series(1, 3))
insert into t (a, b) values (generate_series(1, 3), (select max(x) from u))
-- refused
insert into nosuch values (1)
insert into t (nosuch) values (1)
insert into t (a, a) values (1, 2)
insert into t (a) values (1, 2)
insert into t (a, b) values (1)
insert into t values (1, 2, 3, 4, 5, 6, 7, 8, 9)
insert into t (a) select 1, 2
insert into t (a, b) select 1
insert into t (a) values ('x')
insert into t (a) values (true)
insert into t (h) values (1)
insert into t (e) values (1)
insert into t (a) select b from t
insert into t (a) values (1), (2, 3)
insert into t (a) values (b)
insert into t (a) values (sum(1))
insert into t (a) values (1), (sum(1))
insert into t (a) values (1) returning nosuch
insert into t (a) values (1) returning sum(a)
insert into t (a) values (1) returning row_number() over ()
insert into t (a) values (1) returning excluded.a
insert into t (a) values (1) on conflict (nosuch) do nothing
insert into t (a) values (1) on conflict (a) do update set nosuch = 1
insert into t (a) values (1) on conflict (a) do update set b = nosuch
insert into t (a) values (1) on conflict (a) do update set b = excluded.nosuch
insert into t (a) values (1) on conflict (a) do update set a = b
insert into t (a) values (1) on conflict (a) do update set a = a where 1
insert into t (a) values (1) on conflict do update set a = 1
insert into t (a) values (1) on conflict on constraint nosuch do nothing
insert into t (a) select a from nosuch
insert into t (a) values (default, 1)
insert into t (a, b) values (1, 2, default)
insert into t values (generate_series(1, 2)), (1)
update nosuch set a = 1
update t set nosuch = 1
update t set a = 1, a = 2
update t set a = 'x'
update t set a = b
update t set a = nosuch
update t set a = sum(a)
update t set a = row_number() over ()
update t set a = generate_series(1, 2)
update t set a = 1 where a
update t set a = 1 where sum(a) = 1
update t set t.a = 1
update t set a = 1 from t
update t set a = 1 from u where u.nosuch = 1
update t set a = u.a
update t set (a, b) = (1)
update t set (a, b) = (1, 2, 3)
update t set (a, b) = (select 1)
update t as z set a = 1 where t.a = 1
update t set a = 1 returning nosuch
update t set a = 1 returning sum(a)
update t set a = 1 from u returning a
delete from nosuch
delete from t where nosuch = 1
delete from t where b
delete from t where count(*) > 1
delete from t using t
delete from t using u where a = 1
delete from t returning nosuch
update t set a = 1 from lateral (select * from u where u.a = t.a) s
delete from t using lateral (select * from u where u.a = b) s
update t set (b, c) = row(s.*) from (values ('x', 1)) s
