/**
 * JSON objects from bytes to rows: the fast reader of format json (src/formats/json), which knows the common form of everything and leaves the
 * rest to the exact reader in JavaScript.
 *
 *   records from .. to -> rows row .. of the batch; stops at the first record that is not of the common form (json_layout.ts: STATUS_...)
 *
 * A value of another form than its column's reader knows is walked over and left for the caller to convert (deferred), if it is JSON at all.
 * Measured: 7 fields of a 200-byte message in a tenth of the time of JSON.parse; docs/decisions/0130.
 */
import {
  COLUMN_BYTES,
  COLUMN_DATA,
  COLUMN_FORM,
  COLUMN_MISSING,
  COLUMN_NOT_NULL,
  COLUMN_PRECISION,
  COLUMN_SCALE,
  COLUMN_SEEN,
  COLUMN_STEP,
  COLUMN_VALID,
  COLUMN_VALID_STEP,
  COLUMN_WIDTH,
  DEFERRED_BYTES,
  DEFERRED_COLUMN,
  DEFERRED_END,
  DEFERRED_START,
  FORM_BOOL,
  FORM_DATE,
  FORM_FLOAT8,
  FORM_INT2,
  FORM_INT4,
  FORM_INT8,
  FORM_JSON,
  FORM_NUMERIC,
  FORM_TEXT,
  FORM_TIMESTAMP,
  FORM_TIMESTAMPTZ,
  KEY_COLUMN,
  KEY_LENGTH,
  KEY_NEXT,
  MISSING_NULL,
  MISSING_ODD,
  SCAN_COLUMN_COUNT,
  SCAN_COLUMNS,
  SCAN_DEFERRED,
  SCAN_DEFERRED_COUNT,
  SCAN_ENDS,
  SCAN_FIRST_KEY,
  SCAN_GENERATION,
  SCAN_GREATEST,
  SCAN_LEAST,
  SCAN_NULLS,
  SCAN_SCRATCH,
  SCAN_SCRATCH_END,
  SCAN_SHIFT,
  SCAN_STARTS,
  SCAN_STATUS,
  SCAN_TIME,
  SCAN_WEIGHTS,
  STATUS_DEFERRED,
  STATUS_DONE,
  STATUS_ODD,
  STATUS_SCRATCH,
} from '../../json_layout';
import { beginMessage, high, isNull, isUtf8, skipSpace } from './bytes';
import { findKey, keyEnd, matches } from './keys';
import { readBool, readFloat64, readInt32, readInt64, readNumeric } from './numbers';
import { skipValue } from './skip';
import { readRaw, readText, scratch, scratchFull, setScratch } from './texts';
import { readDate, readTimestamp } from './times';

/** Of two fields, when nothing else stands between them. */
const COMMA_QUOTE: u16 = 0x222c;

/** Reads records [from, to) into rows from `row` on; gives the first record that it did not read, `to` when it read all. */
export function scanJson(scan: usize, from: i32, to: i32, row: i32): i32 {
  const starts: usize = load<u32>(scan, SCAN_STARTS);
  const ends: usize = load<u32>(scan, SCAN_ENDS);
  const shift: usize = load<u32>(scan, SCAN_SHIFT);
  const weights: usize = load<u32>(scan, SCAN_WEIGHTS);
  setScratch(load<u32>(scan, SCAN_SCRATCH), load<u32>(scan, SCAN_SCRATCH_END));
  const time: usize = load<u32>(scan, SCAN_TIME);
  let least = load<i64>(scan, SCAN_LEAST);
  let greatest = load<i64>(scan, SCAN_GREATEST);
  let status = STATUS_DONE;
  let i = from;
  for (; i < to; i++, row++) {
    const start = load<i32>(starts + (<usize>i << 2));
    const end = load<i32>(ends + (<usize>i << 2));
    status = start < 0 ? STATUS_ODD : readMessage(scan, <usize>start + shift, <usize>end + shift, row);
    if (status !== STATUS_DONE) break;
    store<i32>(weights + ((<usize>row) << 2), 1);
    if (time === 0 || load<u8>(validOf(time, row)) === 0) continue;
    const value = load<i64>(slotOf(time, row));
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  store<i64>(scan, least, SCAN_LEAST);
  store<i64>(scan, greatest, SCAN_GREATEST);
  store<u32>(scan, scratch, SCAN_SCRATCH);
  store<u32>(scan, status, SCAN_STATUS);
  return i;
}

/** Reads one value at [start, end) into the first column's slot of this row, for keys that are no objects. */
export function scanJsonScalar(scan: usize, start: usize, end: usize, row: i32): i32 {
  beginMessage(end);
  setScratch(load<u32>(scan, SCAN_SCRATCH), load<u32>(scan, SCAN_SCRATCH_END));
  store<u32>(scan, 0, SCAN_DEFERRED_COUNT);
  const p = readColumn(scan, load<u32>(scan, SCAN_COLUMNS), skipSpace(start), row);
  const good = p === end && high === 0 && load<u32>(scan, SCAN_DEFERRED_COUNT) === 0;
  store<u32>(scan, scratch, SCAN_SCRATCH);
  return good ? STATUS_DONE : STATUS_ODD;
}

@inline
function readMessage(scan: usize, start: usize, end: usize, row: i32): i32 {
  beginMessage(end);
  store<u32>(scan, 0, SCAN_DEFERRED_COUNT);
  const generation = load<u32>(scan, SCAN_GENERATION) + 1;
  store<u32>(scan, generation, SCAN_GENERATION);
  let p = readObject(scan, skipSpace(start), row, generation);
  if (p === 0) return scratchFull ? STATUS_SCRATCH : STATUS_ODD;
  if (p < end) p = skipSpace(p);
  if (p !== end) return STATUS_ODD;
  if (high !== 0 && !isUtf8(start, end)) return STATUS_ODD;
  return load<u32>(scan, SCAN_DEFERRED_COUNT) === 0 ? STATUS_DONE : STATUS_DEFERRED;
}

@inline
function readObject(scan: usize, p: usize, row: i32, generation: u32): usize {
  if (load<u8>(p) !== 123) return 0;
  p++;
  if (load<u8>(p) <= 32) p = skipSpace(p);
  let missing = load<u32>(scan, SCAN_COLUMN_COUNT);
  if (load<u8>(p) === 125) p++;
  else {
    /** Where the key expected next is noted. */
    let expected: usize = scan + SCAN_FIRST_KEY;
    if (load<u8>(p) !== 34) return 0;
    p++;
    // At the first byte of a name.
    while (true) {
      let key: usize = load<u32>(expected);
      if (key !== 0 && matches(p, key)) p += load<u32>(key, KEY_LENGTH);
      else {
        key = findKey(scan, p);
        if (keyEnd === 0) return 0;
        p = skipSpace(keyEnd);
        if (load<u8>(p) !== 58) return 0;
        p++;
        if (key !== 0) store<u32>(expected, key);
      }
      if (load<u8>(p) <= 32) p = skipSpace(p);
      const column: usize = key === 0 ? 0 : load<u32>(key, KEY_COLUMN);
      if (column === 0) p = skipValue(p);
      else {
        // The last of equal names counts, whatever the others are: for the exact reader.
        if (load<u32>(column, COLUMN_SEEN) === generation) return 0;
        store<u32>(column, generation, COLUMN_SEEN);
        missing--;
        p = readColumn(scan, column, p, row);
      }
      if (p === 0) return 0;
      if (key !== 0) expected = key + KEY_NEXT;
      if (load<u16>(p) === COMMA_QUOTE) {
        p += 2;
        continue;
      }
      let c = load<u8>(p);
      if (c <= 32) {
        p = skipSpace(p);
        c = load<u8>(p);
      }
      p++;
      if (c === 125) break;
      if (c !== 44) return 0;
      if (load<u8>(p) <= 32) p = skipSpace(p);
      if (load<u8>(p) !== 34) return 0;
      p++;
    }
  }
  return missing === 0 || setMissing(scan, row, generation) ? p : 0;
}

/** What the columns have that the object did not; false when that is for the exact reader to say. */
function setMissing(scan: usize, row: i32, generation: u32): bool {
  let column: usize = load<u32>(scan, SCAN_COLUMNS);
  for (let n = load<u32>(scan, SCAN_COLUMN_COUNT); n > 0; n--, column += COLUMN_BYTES) {
    if (load<u32>(column, COLUMN_SEEN) === generation) continue;
    const missing = load<u32>(column, COLUMN_MISSING);
    if (missing === MISSING_ODD) return false;
    if (missing === MISSING_NULL) setNull(scan, column, row);
    else {
      memory.copy(slotOf(column, row), missing, load<u32>(column, COLUMN_WIDTH));
      store<u8>(validOf(column, row), 1);
    }
  }
  return true;
}

function slotOf(column: usize, row: i32): usize {
  return <usize>load<u32>(column, COLUMN_DATA) + load<u32>(column, COLUMN_STEP) * row;
}

function validOf(column: usize, row: i32): usize {
  return <usize>load<u32>(column, COLUMN_VALID) + load<u32>(column, COLUMN_VALID_STEP) * row;
}

/** NULL slots hold zeros. */
function setNull(scan: usize, column: usize, row: i32): void {
  if (load<u32>(column, COLUMN_VALID_STEP) !== 0) store<u32>(scan, 1, SCAN_NULLS);
  memory.fill(slotOf(column, row), 0, load<u32>(column, COLUMN_WIDTH));
  store<u8>(validOf(column, row), 0);
}

/** Reads one value into the column's slot of this row. */
@inline
function readColumn(scan: usize, column: usize, p: usize, row: i32): usize {
  if (load<u8>(p) === 110) {
    if (!isNull(p) || load<u32>(column, COLUMN_NOT_NULL) !== 0) return 0;
    setNull(scan, column, row);
    return p + 4;
  }
  store<u8>(validOf(column, row), 1);
  const end = readForm(column, p, slotOf(column, row));
  return end !== 0 || scratchFull ? end : defer(scan, column, p);
}

@inline
function readForm(column: usize, p: usize, slot: usize): usize {
  switch (load<u32>(column, COLUMN_FORM)) {
    case FORM_BOOL:
      return readBool(p, slot);
    case FORM_INT2:
      return readInt32(p, slot, i16.MIN_VALUE, i16.MAX_VALUE);
    case FORM_INT4:
      return readInt32(p, slot, i32.MIN_VALUE, i32.MAX_VALUE);
    case FORM_INT8:
      return readInt64(p, slot);
    case FORM_FLOAT8:
      return readFloat64(p, slot);
    case FORM_NUMERIC:
      return readNumeric(p, slot, load<i32>(column, COLUMN_PRECISION), load<i32>(column, COLUMN_SCALE));
    case FORM_TEXT:
      return readText(p, slot);
    case FORM_JSON:
      return readRaw(p, slot);
    case FORM_DATE:
      return readDate(p, slot);
    case FORM_TIMESTAMP:
      return readTimestamp(p, slot, false);
    case FORM_TIMESTAMPTZ:
      return readTimestamp(p, slot, true);
    default:
      return 0;
  }
}

/** Notes the value for the caller, who converts it. A record has room for as many as it has columns. */
function defer(scan: usize, column: usize, p: usize): usize {
  const end = skipValue(p);
  const count = load<u32>(scan, SCAN_DEFERRED_COUNT);
  if (end === 0 || count === load<u32>(scan, SCAN_COLUMN_COUNT)) return 0;
  const entry = <usize>load<u32>(scan, SCAN_DEFERRED) + count * DEFERRED_BYTES;
  store<u32>(entry, column, DEFERRED_COLUMN);
  store<u32>(entry, p, DEFERRED_START);
  store<u32>(entry, end, DEFERRED_END);
  store<u32>(scan, count + 1, SCAN_DEFERRED_COUNT);
  return end;
}
