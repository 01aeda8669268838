/** The peers' programs give the rows of the hand-written ones, so the comparison is about the same work. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PROGRAMS } from '../hand_written/index.ts';
import { KeptChanges, type Value } from '../hand_written/program.ts';
import { BID_ROWS } from '../hand_written/rows.ts';
import { Chunk, TABLES } from '../nexmark/input.ts';
import { PEERS, type PeerName, peerProgram } from './index.ts';
import { PEER_QUERIES } from './queries.ts';

const EVENTS = 3000;
/** Slow enough for several windows of ten seconds. */
const EVENTS_A_SECOND = 80;

/** Fractions to thirteen digits: sums may be made in another order. */
const line = (row: Value[]) =>
  JSON.stringify(row.map((value) => (typeof value === 'number' ? Number(value.toPrecision(13)) : value)));

for (const name of Object.keys(PEERS) as PeerName[]) {
  for (const query of PEER_QUERIES.keys()) {
    test(`${query} with ${name} gives the rows of the program by hand`, () => {
      const hand = PROGRAMS.get(query)?.(new KeptChanges());
      assert.ok(hand);
      const result = new Map<string, number>();
      const peer = peerProgram(name, query, (row, multiplicity) => {
        const key = line(Object.values(row));
        result.set(key, (result.get(key) ?? 0) + multiplicity);
      });
      const ticks = new Chunk(TABLES, 0, EVENTS, EVENTS_A_SECOND).objectTicks(query in BID_ROWS ? EVENTS : 500);
      for (const events of ticks) {
        hand.tick(events);
        peer.tick(events);
      }
      const rows: string[] = [];
      for (const [row, n] of result) for (let i = 0; i < Math.abs(n); i++) rows.push(n < 0 ? `-${row}` : row);
      assert.ok(rows.length > 0);
      assert.deepEqual(rows.sort(), hand.rows().map(line).sort());
    });
  }
}
