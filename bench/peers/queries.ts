/**
 * The Nexmark queries over a peer's operators. Rows are the objects of the input or arrays of values, in the columns that the hand-written programs
 * list; keys are numbers or, of several columns, texts.
 */
import { beats } from '../hand_written/auctions.ts';
import { figuresOf, Statistics } from '../hand_written/groups.ts';
import type { Auction, Bid, Person, Value } from '../hand_written/program.ts';
import { BID_ROWS } from '../hand_written/rows.ts';
import { isHigher, isNewer } from '../hand_written/tops.ts';
import type { Key, Peer, Stream } from './peer.ts';

export interface Inputs {
  people: Stream<Person>;
  auctions: Stream<Auction>;
  bids: Stream<Bid>;
  /** The table of q13. */
  side: Stream<[Key, string]>;
}

type Row = Value[];
type Query = (peer: Peer, inputs: Inputs) => Stream<Row>;

const WINDOW_MS = 10_000;
const SLIDE_MS = 2_000;
const STATES = new Set(['OR', 'ID', 'CA']);

const windowOf = (time: number) => time - (time % WINDOW_MS);
const total = (values: [unknown, number][]) => values.reduce((sum, [, n]) => sum + n, 0);

/** Values that are there: d2ts gives what was added and what was taken away one by one. */
function present<V>(values: [V, number][]): [V, number][] {
  const sums = new Map<string, [V, number]>();
  for (const [value, n] of values) {
    const key = JSON.stringify(value);
    const sum = sums.get(key);
    if (sum === undefined) sums.set(key, [value, n]);
    else sum[1] += n;
  }
  return [...sums.values()].filter(([, n]) => n !== 0);
}

function keyed<T>(peer: Peer, stream: Stream<T>, key: (value: T) => Key): Stream<[Key, T]> {
  return peer.map(stream, (value): [Key, T] => [key(value), value]);
}

/** A row of each bid or none: q0, q1, q2, q10, q14, q21, q22. */
function perBid(make: (bid: Bid) => object | null): Query {
  return (peer, { bids }) => {
    const rows = peer.filter(peer.map(bids, make), (row) => row !== null);
    return rows as Stream<Row>;
  };
}

const q13: Query = (peer, { bids, side }) => {
  const pairs = peer.join(
    keyed(peer, bids, (b) => b.auction % 10_000),
    side,
  );
  return peer.map(pairs, ([, [{ auction, bidder, price, date_time }, value]]): Row => {
    return [auction, bidder, price, date_time, value];
  });
};

/** Pairs of an auction and a bid within its time. */
function bidsInTime(peer: Peer, { auctions, bids }: Inputs): Stream<[Key, [Auction, Bid]]> {
  const pairs = peer.join(
    keyed(peer, auctions, (a) => a.id),
    keyed(peer, bids, (b) => b.auction),
  );
  return peer.filter(pairs, ([, [a, b]]) => b.date_time >= a.date_time && b.date_time <= a.expires);
}

/** The winning bid of each auction. */
function winners(peer: Peer, inputs: Inputs): Stream<[Key, [Auction, Bid]]> {
  return peer.reduce(bidsInTime(peer, inputs), (values) => {
    let best = values[0][0];
    for (const [pair] of values) if (beats(pair[1], best[1])) best = pair;
    return [[best, 1]];
  });
}

const q3: Query = (peer, { people, auctions }) => {
  const sellers = peer.filter(people, (p) => STATES.has(p.state));
  const offers = peer.filter(auctions, (a) => a.category === 10);
  const pairs = peer.join(
    keyed(peer, sellers, (p) => p.id),
    keyed(peer, offers, (a) => a.seller),
  );
  return peer.map(pairs, ([, [p, a]]): Row => [p.name, p.city, p.state, a.id]);
};

const q4: Query = (peer, inputs) => {
  const prices = peer.map(bidsInTime(peer, inputs), ([id, [a, b]]): [Key, [number, number]] => [
    id,
    [a.category, b.price],
  ]);
  const highest = peer.reduce(prices, (values) => {
    let max = -1;
    for (const [[, price]] of values) if (price > max) max = price;
    return [[[values[0][0][0], max] as [number, number], 1]];
  });
  const categories = peer.map(highest, ([id, [category, max]]): [Key, [Key, number]] => [category, [id, max]]);
  const averages = peer.reduce(categories, (values) => {
    let sum = 0;
    for (const [[, max], n] of values) sum += max * n;
    return [[sum / total(values), 1]];
  });
  return peer.map(averages, (row): Row => row);
};

const q5: Query = (peer, { bids }) => {
  const slides = Array.from({ length: WINDOW_MS / SLIDE_MS }, (_, i) =>
    peer.map(bids, ({ auction, date_time }): [Key, null] => [
      `${date_time - (date_time % SLIDE_MS) - i * SLIDE_MS}|${auction}`,
      null,
    ]),
  );
  const counts = peer.reduce(
    slides.reduce((a, b) => peer.concat(a, b)),
    (values) => [[total(values), 1]],
  );
  const windows = peer.map(counts, ([key, count]): [Key, [number, number]] => {
    const [start, auction] = String(key).split('|');
    return [Number(start), [Number(auction), count]];
  });
  const busiest = peer.reduce(windows, (values) => {
    const counted = present(values);
    let most = 0;
    for (const [[, count]] of counted) if (count > most) most = count;
    return counted.filter(([[, count]]) => count === most);
  });
  return peer.map(busiest, ([, row]): Row => row);
};

const PRECEDING = 10;

const q6: Query = (peer, inputs) => {
  const sellers = peer.map(winners(peer, inputs), ([, [a, b]]): [Key, [number, number, number]] => [
    a.seller,
    [b.date_time, a.id, b.price],
  ]);
  const averages = peer.reduce(sellers, (values) => {
    const rows = present(values)
      .map(([row]) => row)
      .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    return rows.map(([, id], i): [[number, number], number] => {
      const frame = rows.slice(Math.max(0, i - PRECEDING), i + 1);
      return [[id, frame.reduce((sum, row) => sum + row[2], 0) / frame.length], 1];
    });
  });
  return peer.map(averages, ([seller, [, average]]): Row => [seller, average]);
};

const q7: Query = (peer, { bids }) => {
  const prices = peer.map(bids, ({ price, date_time }): [Key, number] => [windowOf(date_time) + WINDOW_MS, price]);
  const highest = peer.reduce(prices, (values) => {
    let max = -1;
    for (const [price] of values) if (price > max) max = price;
    return [[max, 1]];
  });
  const pairs = peer.join(
    keyed(peer, bids, (b) => b.price),
    peer.map(highest, ([end, price]): [Key, Key] => [price, end]),
  );
  const best = peer.filter(
    pairs,
    ([, [b, end]]) => b.date_time >= Number(end) - WINDOW_MS && b.date_time <= Number(end),
  );
  return peer.map(best, ([, [b]]): Row => [b.auction, b.price, b.bidder, b.date_time, b.extra]);
};

const q8: Query = (peer, { people, auctions }) => {
  const once = <T>(stream: Stream<[Key, T]>) => peer.reduce(stream, (values) => [[values[0][0], 1]]);
  const newcomers = once(
    peer.map(people, ({ id, name, date_time }): [Key, Row] => {
      const start = windowOf(date_time);
      return [`${id}|${start}`, [id, name, start]];
    }),
  );
  const sellers = once(
    peer.map(auctions, ({ seller, date_time }): [Key, null] => [`${seller}|${windowOf(date_time)}`, null]),
  );
  return peer.map(peer.join(newcomers, sellers), ([, [person]]): Row => person);
};

const q9: Query = (peer, inputs) =>
  peer.map(
    winners(peer, inputs),
    ([, [a, b]]): Row => [...(Object.values(a) as Value[]), ...[b.auction, b.bidder, b.price, b.date_time, b.extra, 1]],
  );

const q11: Query = (peer, { bids }) => {
  const times = peer.map(bids, ({ bidder, date_time }): [Key, number] => [bidder, date_time]);
  const sessions = peer.reduce(times, (values) => {
    const sorted = [...values].sort((a, b) => a[0] - b[0]);
    const out: [[number, number, number], number][] = [];
    let session: [number, number, number] | null = null;
    for (const [time, n] of sorted) {
      if (session !== null && time <= session[2] + WINDOW_MS) {
        session[0] += n;
        session[2] = time;
      } else {
        session = [n, time, time];
        out.push([session, 1]);
      }
    }
    return out;
  });
  return peer.map(sessions, ([bidder, [count, first, last]]): Row => [bidder, count, first, last + WINDOW_MS]);
};

const q12: Query = (peer, { bids }) => {
  const keys = peer.map(bids, ({ bidder, date_time }): [Key, null] => [`${bidder}|${windowOf(date_time)}`, null]);
  const counts = peer.reduce(keys, (values) => [[total(values), 1]]);
  return peer.map(counts, ([key, count]): Row => {
    const [bidder, start] = String(key).split('|').map(Number);
    return [bidder, count, start, start + WINDOW_MS];
  });
};

const dayOf = (time: number) => new Date(time).toISOString().slice(0, 10);

function statistics(values: [Bid, number][]): Statistics {
  const of = new Statistics();
  for (const [bid, n] of values) for (let i = 0; i < n; i++) of.add(bid);
  return of;
}

const q15: Query = (peer, { bids }) => {
  const days = peer.reduce(
    keyed(peer, bids, (b) => dayOf(b.date_time)),
    (values) => [[statistics(values).counts(), 1]],
  );
  return peer.map(days, ([day, counts]): Row => [day, ...counts]);
};

const q16: Query = (peer, { bids }) => {
  const channels = peer.reduce(
    keyed(peer, bids, (b) => `${dayOf(b.date_time)}|${b.channel}`),
    (values) => {
      let last = 0;
      for (const [{ date_time }] of values) if (date_time > last) last = date_time;
      const minute = new Date(last).toISOString().slice(11, 16);
      return [[[minute, ...statistics(values).counts()] as Row, 1]];
    },
  );
  return peer.map(channels, ([key, counts]): Row => [String(key).slice(11), String(key).slice(0, 10), ...counts]);
};

const q17: Query = (peer, { bids }) => {
  const auctions = peer.reduce(
    peer.map(bids, (b): [Key, number] => [`${dayOf(b.date_time)}|${b.auction}`, b.price]),
    (values) => [[figuresOf(values), 1]],
  );
  return peer.map(
    auctions,
    ([key, counts]): Row => [Number(String(key).slice(11)), String(key).slice(0, 10), ...counts],
  );
};

const q18: Query = (peer, { bids }) => {
  const last = peer.reduce(
    keyed(peer, bids, (b) => `${b.bidder}|${b.auction}`),
    (values) => {
      let newest = values[0][0];
      for (const [bid] of values) if (isNewer(bid, newest)) newest = bid;
      return [[newest, 1]];
    },
  );
  return peer.map(last, ([, bid]): Row => Object.values(bid));
};

const KEPT = 10;

const q19: Query = (peer, { bids }) => {
  const top = peer.reduce(
    keyed(peer, bids, (b) => b.auction),
    (values) => {
      const best: Bid[] = [];
      for (const [bid, n] of values) {
        for (let i = 0; i < n; i++) {
          if (best.length === KEPT && !isHigher(bid, best[KEPT - 1])) break;
          let at = best.length;
          while (at > 0 && isHigher(bid, best[at - 1])) at--;
          best.splice(at, 0, bid);
          if (best.length > KEPT) best.pop();
        }
      }
      return best.map((bid, i): [[Bid, number], number] => [[bid, i + 1], 1]);
    },
  );
  return peer.map(top, ([, [bid, rank]]): Row => [...Object.values(bid), rank]);
};

const q20: Query = (peer, { auctions, bids }) => {
  const pairs = peer.join(
    keyed(
      peer,
      peer.filter(auctions, (a) => a.category === 10),
      (a) => a.id,
    ),
    keyed(peer, bids, (b) => b.auction),
  );
  return peer.map(pairs, ([, [{ id: _, ...rest }, bid]]): Row => [...Object.values(bid), ...Object.values(rest)]);
};

const ROWS = Object.entries(BID_ROWS).map(([name, row]): [string, Query] => [name, perBid(row)]);

export const PEER_QUERIES = new Map<string, Query>([
  ...ROWS,
  ...Object.entries({ q3, q4, q5, q6, q7, q8, q9, q11, q12, q13, q15, q16, q17, q18, q19, q20 }),
]);
