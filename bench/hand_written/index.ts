/** A hand-written program for every Nexmark query, by name. */
import { q4, q6, q9 } from './auctions.ts';
import { q15, q16, q17 } from './groups.ts';
import { q3, q8, q13, q20 } from './joins.ts';
import type { Changes, Program } from './program.ts';
import { BID_ROWS, perBid } from './rows.ts';
import { q18, q19 } from './tops.ts';
import { q5, q7, q11, q12 } from './windows.ts';

const ALL = { q3, q4, q5, q6, q7, q8, q9, q11, q12, q13, q15, q16, q17, q18, q19, q20 };

/** `changes`: where programs with joins or tops put what changes of their result. */
export const PROGRAMS = new Map<string, (changes?: Changes) => Program>([
  ...Object.entries(BID_ROWS).map(([name, row]): [string, () => Program] => [name, () => perBid(row)]),
  ...Object.entries<(changes?: Changes) => Program>(ALL),
]);
