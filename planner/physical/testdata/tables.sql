create table r (a int, b int);
create table s (c int, d int);
create table t (k int primary key, e int, n numeric, x text, ts timestamp, big bigint);
insert into r values (1, 1), (1, 2), (1, 2), (2, null), (null, 3), (3, 0), (4, 4), (null, null);
insert into s values (1, 10), (1, null), (2, 20), (2, 2), (5, 50), (null, 60), (3, 3);
insert into t values
  (1, 1, 1.50, 'one', '2024-01-01 00:00:05', 10000000000),
  (2, 1, null, 'two', '2024-01-01 00:00:12', 2),
  (3, 2, 3.25, null, '2024-01-01 00:01:00', 3),
  (4, null, -4, 'four', null, null),
  (5, 5, 0, 'one', '2024-02-29 12:00:00', 5);
