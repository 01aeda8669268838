/**
 * Names of an object's fields. After a key comes most often the key that came after it last time, so that a key costs one comparison of 16 bytes
 * with the quote and colon behind it; else it is found by hash. Undeclared names are remembered too while there is room, to be guessed and skipped.
 */
import {
  KEY_BYTES,
  KEY_CHAIN,
  KEY_COLUMN,
  KEY_HASH,
  KEY_LENGTH,
  KEY_MASK,
  KEY_NEXT,
  KEY_TEXT,
  SCAN_BUCKET_MASK,
  SCAN_BUCKETS,
  SCAN_FREE_KEY,
  SCAN_FREE_KEY_END,
} from '../../json_layout';
import { plainEnd, stop } from './bytes';

/** True when the bytes at p are the key's text. */
export function matches(p: usize, key: usize): bool {
  const text: usize = load<u32>(key, KEY_TEXT);
  const length = load<u32>(key, KEY_LENGTH);
  const differ = ~i8x16.bitmask(i8x16.eq(v128.load(p), v128.load(text)));
  return (differ & load<u32>(key, KEY_MASK)) === 0 && (length <= 16 || sameRest(p, text, length));
}

function keyMask(length: u32): u32 {
  return length < 16 ? (1 << length) - 1 : 0xffff;
}

function sameRest(p: usize, text: usize, length: u32): bool {
  for (let i: u32 = 16; i < length; i++) if (load<u8>(p + i) !== load<u8>(text + i)) return false;
  return true;
}

/** The byte behind the key's closing quote that findKey met. */
export let keyEnd: usize = 0;

/**
 * The key whose name starts at p (behind the quote): a known one, a new one that is remembered, or 0 for an undeclared one that is not. `keyEnd`
 * is 0 for a name with escapes, which could be any.
 */
export function findKey(scan: usize, p: usize): usize {
  const end = plainEnd(p);
  keyEnd = 0;
  if (load<u8>(end) !== 34 || end >= stop) return 0;
  keyEnd = end + 1;
  const hash = hashOf(p, end);
  const bucket = <usize>load<u32>(scan, SCAN_BUCKETS) + ((hash & load<u32>(scan, SCAN_BUCKET_MASK)) << 2);
  const length = <u32>(end - p);
  for (let key: usize = load<u32>(bucket); key !== 0; key = load<u32>(key, KEY_CHAIN)) {
    if (load<u32>(key, KEY_HASH) !== hash || load<u32>(key, KEY_LENGTH) !== length + 2) continue;
    if (same(p, load<u32>(key, KEY_TEXT), length)) return key;
  }
  const key: usize = load<u32>(scan, SCAN_FREE_KEY);
  // The message holds the new key's text, if the colon stands right behind the quote.
  if (key === load<u32>(scan, SCAN_FREE_KEY_END) || load<u8>(end, 1) !== 58) return 0;
  store<u32>(scan, key + KEY_BYTES, SCAN_FREE_KEY);
  store<u32>(key, 0, KEY_COLUMN);
  store<u32>(key, 0, KEY_NEXT);
  store<u32>(key, load<u32>(bucket), KEY_CHAIN);
  store<u32>(key, p, KEY_TEXT);
  store<u32>(key, length + 2, KEY_LENGTH);
  store<u32>(key, keyMask(length + 2), KEY_MASK);
  store<u32>(key, hash, KEY_HASH);
  store<u32>(bucket, key);
  return key;
}

function hashOf(p: usize, end: usize): u32 {
  let hash: u32 = 0;
  for (; p < end; p++) hash = (hash ^ load<u8>(p)) * 0x01000193;
  return hash;
}

function same(a: usize, b: usize, length: u32): bool {
  for (let i: u32 = 0; i < length; i++) if (load<u8>(a + i) !== load<u8>(b + i)) return false;
  return true;
}
