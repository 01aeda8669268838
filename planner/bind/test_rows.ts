/**
 * For tests: rows of the test tables, with NULLs, duplicates and values that match between tables.
 */
const ROWS: Record<string, string[]> = {
  t: [
    "(1, 'x', 1.50, '2020-01-01 10:00+00', true, 1.5, 10, '2020-01-01')",
    "(2, 'x', 2.25, '2020-01-02 11:30+00', false, -2, 20, '2020-01-02')",
    "(3, 'y', null, '2020-02-01 00:00+00', true, 0.25, null, '2020-02-01')",
    '(4, null, 10, null, null, null, 5, null)',
    "(5, 'abc', 0, '2021-01-01 00:00+00', true, 3, 5, '2020-01-01')",
  ],
  u: [
    "(1, 'x', 5, 1, 1.5)",
    "(1, 'y', 7, 2, null)",
    '(2, null, 2, null, 0.5)',
    "(null, 'abc', 1, 3, 2)",
    "(7, 'x', 3, 3, 3)",
  ],
  w: [
    "(1, 'x', 1.5, '1 day', '2020-01-01 10:15')",
    "(1, 'y', 2.5, '2 hours', '2020-01-01 11:00')",
    "(5, 'abc', null, null, null)",
  ],
  arr: [
    `(1, '{1,2,3}', '{a,b}', '{"a": {"b": 1}, "x": [1, 2]}', '[1, 2]', '\\x01', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'a', '10:30')`,
    `(2, '{}', null, '{"a": null}', '{"k": 1}', null, null, 'abc', null)`,
    `(3, null, '{x,NULL}', null, null, '\\x', null, null, '00:00')`,
  ],
  'Mixed Case': ["(1, 'one')"],
  bid: [
    "(1, 10, 100, 'web', '2020-01-01 00:00:10')",
    "(1, 11, 150, 'app', '2020-01-01 00:00:40')",
    "(2, 10, 90, 'web', '2020-01-01 00:01:05')",
    "(3, 12, 70, null, '2020-01-01 00:02:00')",
  ],
  auction: [
    "(1, 'lamp', 100, 5, '2020-01-01 00:00:00', '2020-01-01 00:00:30')",
    "(2, 'desk', 101, 5, '2020-01-01 00:01:00', '2020-01-01 00:05:00')",
  ],
};

/** INSERT statements that fill the test tables. */
export function insertSql(): string {
  return Object.entries(ROWS)
    .map(([name, rows]) => `insert into "${name}" values ${rows.join(', ')};`)
    .join('\n');
}
