/** Difference of the first of `length` bytes that differ, eight bytes a step; 0 when none does. */
export function compareBytes(a: usize, b: usize, length: u32): i32 {
  const end = a + length;
  const distance = b - a;
  for (; a + 8 <= end; a += 8) {
    const x = bswap(load<u64>(a));
    const y = bswap(load<u64>(a + distance));
    if (x != y) return x < y ? -1 : 1;
  }
  for (; a < end; a++) {
    const difference = <i32>load<u8>(a) - <i32>load<u8>(a + distance);
    if (difference != 0) return difference;
  }
  return 0;
}

/** A value of so many bytes lies in its slot; a longer one elsewhere. */
export const INLINE: u32 = 12;

/** Bytes of the long values in n varlen slots, each rounded up to 16; `valid` 0: none is NULL. */
export function longBytes(data: usize, valid: usize, n: u32): f64 {
  let total: u64 = 0;
  for (let row: u32 = 0; row < n; row++, data += 16) {
    const length = load<u32>(data);
    if (length > INLINE && (valid == 0 || load<u8>(valid + row) != 0)) total += (length + 15) & ~15;
  }
  return <f64>total;
}

/** Copies the long values of n varlen slots, one behind the other from `to` on, and lets the slots point there. */
export function ownLong(data: usize, valid: usize, n: u32, to: usize): void {
  for (let row: u32 = 0; row < n; row++, data += 16) {
    const length = load<u32>(data);
    if (length <= INLINE || (valid != 0 && load<u8>(valid + row) == 0)) continue;
    const from = <usize>load<u32>(data, 8);
    if (length > 64) memory.copy(to, from, length);
    else {
      let at: usize = 0;
      for (; at + 8 <= length; at += 8) store<u64>(to + at, load<u64>(from + at));
      for (; at < length; at++) store<u8>(to + at, load<u8>(from + at));
    }
    store<u32>(data, <u32>to, 8);
    to += (length + 15) & ~15;
  }
}

/** Bytes of the values of `n` slots; `valid`: bytes that are 0 where a value is NULL, or address 0. */
export function varlenBytes(data: usize, valid: usize, n: u32): f64 {
  let sum: f64 = 0;
  for (let i: u32 = 0; i < n; i++) {
    if (valid === 0 || load<u8>(valid + i) !== 0) sum += <f64>load<u32>(data + (<usize>i << 4));
  }
  return sum;
}

/**
 * Lengths (u32 each, 0 for NULL) and after them the bytes of the values of `n` slots, to an address with 16 bytes to spare behind; gives the end. Sixteen
 * bytes a step, also past a value's end: the next value overwrites that.
 */
export function packVarlen(data: usize, valid: usize, n: u32, to: usize): usize {
  let at = to + (<usize>n << 2);
  for (let i: u32 = 0; i < n; i++) {
    const slot = data + (<usize>i << 4);
    const length = valid === 0 || load<u8>(valid + i) !== 0 ? load<u32>(slot) : 0;
    store<u32>(to + (<usize>i << 2), length);
    if (length <= 12) {
      store<u64>(at, load<u64>(slot + 4));
      store<u32>(at + 8, load<u32>(slot + 12));
    } else {
      const from: usize = load<u32>(slot + 8);
      const end = from + length;
      let target = at;
      for (let source = from; source < end; source += 16, target += 16) v128.store(target, v128.load(source));
    }
    at += length;
  }
  return at;
}

/** Slots of `n` values whose lengths (u32 each) lie at `lengths` and whose bytes, one after the other, at `address`. */
export function unpackVarlen(data: usize, n: u32, lengths: usize, address: usize): void {
  let at = address;
  for (let i: u32 = 0; i < n; i++) {
    const slot = data + (<usize>i << 4);
    const length = load<u32>(lengths + (<usize>i << 2));
    store<u32>(slot, length);
    if (length <= 12) {
      store<u64>(slot + 4, 0);
      store<u32>(slot + 12, 0);
      for (let b: u32 = 0; b < length; b++) store<u8>(slot + 4 + b, load<u8>(at + b));
    } else {
      store<u32>(slot + 4, load<u32>(at));
      store<u32>(slot + 8, <u32>at);
      store<u32>(slot + 12, 0);
    }
    at += length;
  }
}

/** A byte at both ends of the value, and one 64 bytes behind its first: with these a text of up to 128 bytes is touched whole. */
@inline
function someBytes(slot: usize): u32 {
  const length = load<u32>(slot);
  const long = length > INLINE;
  const from = select<usize>(<usize>load<u32>(slot, 8), slot, long);
  const last = select<usize>(<usize>length - 1, 0, long);
  return <u32>load<u8>(from) + <u32>load<u8>(from + min<usize>(last, 64)) + <u32>load<u8>(from + last);
}

/** Bytes a row up to which all that lies between the first value and the last is read. */
const DENSE: usize = 512;
const LINE: usize = 64;

@inline
function slotAt(slots: usize, rows: usize, i: u32): usize {
  return slots + ((rows === 0 ? <usize>i : <usize>load<u32>(rows + (i << 2)) & 0x7fffffff) << 4);
}

/** Reads a byte of each line from `at` to `end`. */
function stream(at: usize, end: usize): u32 {
  let sum: u32 = 0;
  for (; at < end; at += 4 * LINE) {
    sum += <u32>load<u8>(at) + <u32>load<u8>(at, LINE) + <u32>load<u8>(at, 2 * LINE) + <u32>load<u8>(at, 3 * LINE);
  }
  return sum;
}

/** A column that begins with so many short values is taken for one without long ones: looking all of it over costs as much as what knowing saves. */
const SHORT_ONES: u32 = 64;

/** Widens what the words at `low` and `high` span by all that lies between the first long value of n slots and the last; they stay if there is none, or none among the first. */
export function spanOfTexts(slots: usize, n: u32, low: usize, high: usize): void {
  const most = min<u32>(n, SHORT_ONES);
  let i: u32 = 0;
  while (i < most && load<u32>(slotAt(slots, 0, i)) <= INLINE) i++;
  if (i === most) return;
  let last = n - 1;
  while (load<u32>(slotAt(slots, 0, last)) <= INLINE) last--;
  const end = load<u32>(slotAt(slots, 0, last), 8) + load<u32>(slotAt(slots, 0, last));
  store<u32>(low, min<u32>(load<u32>(low), load<u32>(slotAt(slots, 0, i), 8)));
  store<u32>(high, max<u32>(load<u32>(high), end));
}

/**
 * Reads some bytes of the long values of n slots, so that they are in the cache when they are worked on: of the rows with these numbers, or of the first n. The
 * loads wait for nothing but the slots, so many are on their way at once. Gives a sum, lest a compiler leave them out.
 *
 * Values of a stream lie in its messages, one behind the other: where these are close together all of them is read, line by line. The processor sees that coming, and a line costs
 * it 2 ns instead of 5.
 */
export function touchTexts(slots: usize, rows: usize, n: u32): u32 {
  let i: u32 = 0;
  while (i < n && load<u32>(slotAt(slots, rows, i)) <= INLINE) i++;
  if (i === n) return 0;
  let last = n - 1;
  while (load<u32>(slotAt(slots, rows, last)) <= INLINE) last--;
  const from: usize = load<u32>(slotAt(slots, rows, i), 8);
  const end: usize = <usize>load<u32>(slotAt(slots, rows, last), 8) + load<u32>(slotAt(slots, rows, last));
  if (end > from && end - from <= <usize>n * DENSE) return stream(from, end);
  let sum: u32 = 0;
  for (; i <= last; i++) sum += someBytes(slotAt(slots, rows, i));
  return sum;
}
