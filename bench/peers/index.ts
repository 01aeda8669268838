/** A peer's program for a Nexmark query: takes objects a tick at a time, counts and drops the changes of the result, or keeps it. */
import type { Auction, Bid, Events, Person, Value } from '../hand_written/program.ts';
import { d2ts } from './d2ts.ts';
import { dbIvm } from './db_ivm.ts';
import type { Key, Peer } from './peer.ts';
import { PEER_QUERIES } from './queries.ts';

export const PEERS = { d2ts, 'db-ivm': dbIvm };
export type PeerName = keyof typeof PEERS;

export interface PeerProgram {
  tick(events: Events): void;
  /** Changes that came out. */
  changes: number;
}

/** `onChange` is called with each change of the result. */
export function peerProgram(
  name: PeerName,
  query: string,
  onChange?: (row: Value[], multiplicity: number) => void,
): PeerProgram {
  const make = PEER_QUERIES.get(query);
  if (make === undefined) throw new Error(`no peer has ${query}`);
  const peer: Peer = PEERS[name]();
  const people = peer.input<Person>();
  const auctions = peer.input<Auction>();
  const bids = peer.input<Bid>();
  const side = peer.input<[Key, string]>();
  const program: PeerProgram = {
    changes: 0,
    tick(events) {
      people.send(events.people);
      auctions.send(events.auctions);
      bids.send(events.bids);
      peer.run();
    },
  };
  peer.output(make(peer, { people, auctions, bids, side }), (row, multiplicity) => {
    program.changes++;
    onChange?.(row, multiplicity);
  });
  peer.finish();
  side.send(Array.from({ length: 10_000 }, (_, key) => [key, String(key)]));
  return program;
}
