-- The bound plan evaluates subqueries before the expression around them; the planner puts PostgreSQL's order back.
select a, case when b <> 0 then (select 10 / b) end from r
select a, case when b <> 0 then (select 10 / b) + (select 20 / b) end from r
select a, case when b <> 0 then (select max(d + 10 / b) from s where c = a) end from r
select a, case when b = 0 then 0 else (select sum(d / b) from s) end from r
select a, case when b > 2 or b is null then 0 when b <> 0 then (select count(*) / b from s) end from r
select a, coalesce(b, (select c / 0 from s where c = a limit 1)) from r where b is not null
select a, b <> 0 and (select 10 / b) > 3 from r
select a, b = 0 or (select 10 / b) > 3 from r
select a, case when a < 3 and a > 1 then (select d from s where c = a and d > 2) end from r
select a, case when b <> 0 then 10 / b in (select d from s) end from r
select a, case when b <> 0 then exists (select 1 from s where d / b > 1) end from r
select a from r where case when b <> 0 then (select 10 / b) else 5 end > 4
select sum(case when b <> 0 then (select 10 / b) end) from r
select a, case when b <> 0 then (select 10 / count(*) from s where b <> 0) end from r
