/** Queries that make of each bid one row or none, and keep nothing: q0, q1, q2, q10, q14, q21, q22. */
import type { Bid, Program, Value } from './program.ts';

/** Gives the output object of a bid, or null. */
type BidRow = (bid: Bid) => object | null;

const q0: BidRow = ({ auction, bidder, price, date_time, extra }) => ({ auction, bidder, price, date_time, extra });

const q1: BidRow = ({ auction, bidder, price, date_time, extra }) => ({
  auction,
  bidder,
  price: 0.908 * price,
  date_time,
  extra,
});

const q2: BidRow = ({ auction, price }) => (auction % 123 === 0 ? { auction, price } : null);

const q10: BidRow = ({ auction, bidder, price, date_time, extra }) => {
  const iso = new Date(date_time).toISOString();
  return { auction, bidder, price, date_time, extra, dt: iso.slice(0, 10), hm: iso.slice(11, 16) };
};

const q14: BidRow = (bid) => {
  const price = 0.908 * bid.price;
  if (price <= 1_000_000 || price >= 50_000_000) return null;
  const hour = new Date(bid.date_time).getUTCHours();
  const type = hour >= 8 && hour <= 18 ? 'dayTime' : hour <= 6 || hour >= 20 ? 'nightTime' : 'otherTime';
  let count = 0;
  for (let i = 0; i < bid.extra.length; i++) if (bid.extra.charCodeAt(i) === 99) count++;
  return {
    auction: bid.auction,
    bidder: bid.bidder,
    price,
    bid_time_type: type,
    date_time: bid.date_time,
    extra: bid.extra,
    c_counts: count,
  };
};

const CHANNEL_IDS = new Map([
  ['apple', '0'],
  ['google', '1'],
  ['facebook', '2'],
  ['baidu', '3'],
]);
const CHANNEL_ID = /(&|^)channel_id=([^&]*)/;

const q21: BidRow = ({ auction, bidder, price, channel, url }) => {
  const id = CHANNEL_IDS.get(channel.toLowerCase()) ?? CHANNEL_ID.exec(url)?.[2];
  return id === undefined ? null : { auction, bidder, price, channel, channel_id: id };
};

const q22: BidRow = ({ auction, bidder, price, channel, url }) => {
  const parts = url.split('/');
  return {
    auction,
    bidder,
    price,
    channel,
    dir1: parts[3] ?? '',
    dir2: parts[4] ?? '',
    dir3: parts[5] ?? '',
  };
};

export const BID_ROWS = { q0, q1, q2, q10, q14, q21, q22 };

export function perBid(row: BidRow): Program {
  let out: object[] = [];
  return {
    tick({ bids }) {
      out = [];
      for (const bid of bids) {
        const made = row(bid);
        if (made !== null) out.push(made);
      }
    },
    rows: () => out.map((made) => Object.values(made) as Value[]),
  };
}
