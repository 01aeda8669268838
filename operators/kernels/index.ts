/**
 * Kernels in WebAssembly over the shared memory, for loops that profiling names and that SIMD or exact 64-bit integers make much faster.
 *
 *   assembly/*.ts (AssemblyScript) --scripts/build_kernels.mjs--> kernels.wasm (some KB, in no repository) --here--> functions over addresses
 *
 * Small functions of the hot loops are marked @inline: the engine does not inline WebAssembly (Node 20), and the compiler alone leaves a fifth of the
 * scanner's time in calls. TypeScript's tools do not know the mark, so they leave assembly/ out.
 *
 * The module has no data and no state but remembered values of its own instance, so every thread makes its own over the same memory. Compiling and
 * instantiating takes about a millisecond. Each kernel's file says what it is for; what it does exactly is defined and tested in TypeScript.
 */
import { readFileSync } from 'node:fs';
import { memory } from '../batch/memory.ts';
import { touchRange } from '../state/write_marks.ts';

interface Kernels {
  /** assembly/bytes.ts; booleans are 0 and 1. */
  copyBytes(to: number, from: number, length: number): void;
  fillBytes(address: number, value: number, length: number): void;
  hashBytes(seed: number, address: number, length: number): number;
  equalBytes(a: number, b: number, length: number): number;
  allSet(address: number, n: number): number;
  allPositive(address: number, n: number): number;
  allOne(address: number, n: number): number;
  boundsOfInt64(data: number, valid: number, n: number, result: number): number;
  /** assembly/texts.ts; addresses that are given come as signed numbers. */
  findBytes(from: number, end: number, needle: number, length: number): number;
  countBytes(from: number, end: number, needle: number, length: number): number;
  replaceBytes(
    from: number,
    end: number,
    needle: number,
    length: number,
    insert: number,
    insertLength: number,
    to: number,
  ): void;
  countCharacters(from: number, end: number): number;
  isAscii(from: number, end: number): number;
  casesOf(from: number, end: number, first: number): number;
  changeCase(from: number, end: number, first: number, to: number): void;
  splitPart(cursor: number, separator: number, length: number, n: number, out: number): void;
  /** assembly/split_array.ts */
  splitArray(from: number, end: number, separator: number, length: number, count: number, to: number): void;
  /** assembly/items.ts; `items` is laid out as items_layout.ts says. */
  itemRows(items: number): number;
  /** assembly/json_text.ts; results as int32: the address of a slot or one of text_layout.ts. */
  jsonField(slot: number, key: number, length: number, text: number, out: number): number;
  jsonElement(slot: number, index: number, text: number, out: number): number;
  /** assembly/regex.ts; `program` is laid out as regex_layout.ts says. */
  searchOnePass(program: number, text: number, end: number): number;
  /** assembly/varlen.ts */
  compareBytes(a: number, b: number, length: number): number;
  touchTexts(slots: number, rows: number, n: number): number;
  spanOfTexts(slots: number, n: number, low: number, high: number): void;
  /** `valid` 0: no row is NULL. Addresses and sizes come back as int32: >>> 0. */
  longBytes(data: number, valid: number, n: number): number;
  ownLong(data: number, valid: number, n: number, to: number): void;
  varlenBytes(data: number, valid: number, n: number): number;
  packVarlen(data: number, valid: number, n: number, to: number): number;
  unpackVarlen(data: number, n: number, lengths: number, address: number): void;
  /** assembly/lz4.ts; 16 bytes behind the ends of both may be read and written. lz4Block gives an address as int32, 0 for damage. */
  lz4Size(from: number, end: number): number;
  lz4Block(from: number, end: number, first: number, to: number, limit: number): number;
  /** assembly/numeric.ts; `valid` 0: no row is NULL. */
  wideBytes(data: number, valid: number, n: number): number;
  hashSmallNumeric(h: number, slot: number): number;
  /** assembly/own_texts.ts; result as int32: a number of the list. */
  ownTexts(list: number, from: number, count: number, heap: number): number;
  longTexts(slots: number, fresh: number, made: number, texts: number, count: number, list: number): number;
  /** assembly/dead_keys.ts */
  freeTexts(slots: number, n: number, texts: number, count: number, heap: number): number;
  freeRuns(
    slots: number,
    n: number,
    payload: number,
    stride: number,
    weightAt: number,
    texts: number,
    count: number,
    heap: number,
    counts: number,
  ): number;
  /** assembly/pack_runs.ts; `pack` is laid out as pack_layout.ts says; result as int32: an address. */
  packRuns(from: number, end: number, pack: number): number;
  /** assembly/top_few.ts; `top` is laid out as top_layout.ts says. */
  topInsert(top: number): void;
  topChanges(top: number): void;
  topKeep(top: number, from: number, heap: number): number;
  topResolve(top: number): void;
  /** assembly/top_one.ts; likewise. */
  firstRows(top: number): void;
  keepFirst(top: number, from: number, heap: number): number;
  /** assembly/directory.ts */
  rehash(from: number, fromEntries: number, to: number, entries: number): void;
  enterSlots(directory: number, mask: number, from: number, end: number, stride: number): void;
  hashesFound(directory: number, mask: number, hashes: number, n: number, bytes: number): number;
  removeEntry(directory: number, mask: number, hash: number, slot: number): number;
  removeSlots(directory: number, mask: number, slots: number, n: number, free: number): number;
  giveSlots(slots: number, n: number, free: number): void;
  /** assembly/row_table.ts; usedSlots gives an address as int32. */
  usedSlots(
    from: number,
    end: number,
    stride: number,
    most: number,
    rowOffset: number,
    payload: number,
    rows: number,
    words: number,
    count: number,
  ): number;
  copyUsedSlots(from: number, end: number, stride: number, to: number, toEnd: number): number;
  deadSlots(
    directory: number,
    mask: number,
    hashes: number,
    n: number,
    bytes: number,
    at: number,
    flag: number,
    lag: number,
    watermark: number,
  ): number;
  sweepSlots(
    from: number,
    end: number,
    bytes: number,
    at: number,
    flag: number,
    lag: number,
    watermark: number,
    dead: number,
  ): number;
  freshSlots(slots: number, fresh: number, made: number, offset: number, to: number): void;
  /** assembly/expiry.ts */
  fillBucket(
    slots: number,
    i: number,
    n: number,
    times: number,
    at: number,
    start: number,
    end: number,
    to: number,
    room: number,
  ): number;
  lastLike(times: number, i: number, n: number, start: number, end: number): number;
  /** assembly/pack_keys.ts; `keys` is laid out as key_layout.ts says. */
  packKeys(keys: number): void;
  /** assembly/keys.ts; likewise; booleans are 0 and 1. */
  findKeys(keys: number): number;
  findOrInsertKeys(keys: number): number;
  sumEqual(
    keys: number,
    weights: number,
    table: number,
    mask: number,
    totals: number,
    rows: number,
    sums: number,
  ): number;
  /** assembly/time_windows.ts */
  sliceTimes(times: number, valid: number, n: number, origin: bigint, step: bigint, to: number): void;
  countWindows(
    times: number,
    valid: number,
    n: number,
    origin: bigint,
    slide: bigint,
    size: bigint,
    cumulate: boolean,
  ): number;
  fillWindows(
    times: number,
    valid: number,
    n: number,
    origin: bigint,
    slide: bigint,
    size: bigint,
    cumulate: boolean,
    rows: number,
    starts: number,
    ends: number,
  ): void;
  /** assembly/aggregate.ts; `calls` is laid out as aggregate_layout.ts says. */
  touchGroups(slots: number, n: number, payload: number, groups: number, touched: number): number;
  numberGroups(
    slots: number,
    fresh: number,
    made: number,
    payload: number,
    first: number,
    number: number,
    deadlines: number,
    deadline: number,
  ): void;
  groupsWithRows(slots: number, n: number, payload: number, to: number): number;
  untouchGroups(slots: number, n: number, payload: number, gone: number): number;
  takeIn(calls: number, count: number, groups: number, n: number): number;
  writeCounts(groups: number, n: number, offset: number, data: number): void;
  writeSums(groups: number, n: number, offset: number, numeric: boolean, data: number, valid: number): number;
  extremeTexts(
    groups: number,
    n: number,
    offset: number,
    weights: number,
    data: number,
    valid: number,
    greatest: boolean,
    rest: number,
  ): number;
  passingWeights(data: number, valid: number, weights: number, n: number, to: number): void;
  anyWeights(filters: number, count: number, n: number, to: number): void;
  groupNumbers(groups: number, weights: number, n: number, offset: number, to: number): void;
  freshDeadlines(
    slots: number,
    fresh: number,
    made: number,
    groups: number,
    offset: number,
    at: number,
    list: number,
  ): void;
  flipBits(slots: number, n: number, payload: number, filters: number, count: number): number;
  flip(slots: number, n: number, payload: number, filters: number, count: number, emptied: number): number;
  /** assembly/averages.ts */
  writeAverages(groups: number, n: number, offset: number, data: number, valid: number, outside: number): number;
  writeTotalAverages(groups: number, n: number, offset: number, data: number, valid: number, outside: number): number;
  /** assembly/float_totals.ts */
  writeFloats(
    groups: number,
    n: number,
    offset: number,
    average: boolean,
    single: boolean,
    data: number,
    valid: number,
  ): number;
  /** assembly/moments.ts; booleans are 0 and 1. */
  centreMoments(state: number, pairs: boolean, out: number): number;
  /** assembly/bit_counts.ts */
  addToBits(kind: number, state: number, data: number, row: number, weight: number): void;
  /** assembly/totals.ts; booleans are 0 and 1. */
  addToTotal(kind: number, state: number, data: number, other: number, row: number, weight: number): number;
  /** assembly/numeric_totals.ts */
  writeTotals(groups: number, n: number, offset: number, data: number, valid: number, outside: number): number;
  /** assembly/sessions.ts */
  addToSessions(
    slots: number,
    times: number,
    weights: number,
    row: number,
    n: number,
    payload: number,
    gap: bigint,
    old: number,
    touched: number,
    counts: number,
  ): number;
  timedWeights(times: number, valid: number, weights: number, n: number, to: number): void;
  changedSessions(touched: number, n: number, payload: number, now: number): number;
  beginRun(key: number, run: number, capacity: number): void;
  allSessions(slots: number, n: number, payload: number, list: number): void;
  sessionDues(slots: number, n: number, payload: number, lag: number, to: number): void;
  sessionColumns(
    list: number,
    n: number,
    before: number,
    gap: bigint,
    slots: number,
    weights: number,
    starts: number,
    ends: number,
    numbers: number,
  ): void;
  deadSessions(
    directory: number,
    mask: number,
    hashes: number,
    n: number,
    payload: number,
    lag: number,
    watermark: number,
    lost: number,
  ): number;
  /** assembly/top_ties.ts */
  bestRows(
    slots: number,
    weights: number,
    n: number,
    payload: number,
    at: number,
    flag: number,
    data: number,
    valid: number,
    wide: boolean,
    desc: boolean,
    nullsFirst: boolean,
    rows: number,
    changed: number,
  ): number;
  /** assembly/deadline.ts */
  deadlines(rows: number, n: number, conditions: number, count: number, result: number): void;
  /** assembly/dead_rows.ts; `dead` is laid out as dead_rows_layout.ts says. */
  freeDeadRows(dead: number, hashes: number, n: number, watermark: number): number;
  /** assembly/encode_rows.ts; `encode` is laid out as encode_layout.ts says. */
  encodeRows(encode: number, from: number, to: number, out: number, end: number): number;
  /** assembly/gather.ts */
  loadColumn(rows: number, n: number, offset: number, width: number, flag: number, data: number, valid: number): void;
  gatherColumn(
    rows: number,
    n: number,
    width: number,
    from: number,
    fromValid: number,
    data: number,
    valid: number,
  ): void;
  /** assembly/append.ts; `append` is laid out, and the results are, as append_layout.ts says. */
  appendRows(append: number): number;
  appendFound(append: number): number;
  appendLocated(append: number): number;
  storeAppended(append: number): void;
  /** assembly/index_rows.ts; `columns` are laid out as key_layout.ts says. */
  growRuns(
    touched: number,
    n: number,
    payload: number,
    stride: number,
    heap: number,
    old: number,
    left: number,
    blocksFrom: number,
  ): number;
  placeInLog(at: number, stride: number, n: number, places: number): void;
  storeRows(
    columns: number,
    count: number,
    n: number,
    validAt: number,
    stride: number,
    weights: number,
    weightAt: number,
    rows: number,
    outside: number,
    chosen: number,
  ): number;
  inOrder(rows: number, n: number): number;
  /** assembly/index_changes.ts; `columns` are laid out as key_layout.ts says. */
  slotHashes(columns: number, count: number, n: number, hashes: number): void;
  writeHashes(rows: number, hashes: number, n: number, hashAt: number): void;
  takeOut(
    columns: number,
    count: number,
    validAt: number,
    stride: number,
    weightAt: number,
    hashAt: number,
    slots: number,
    weights: number,
    hashes: number,
    n: number,
    payload: number,
    long: number,
    comes: number,
    rest: number,
    freed: number,
    wide: number,
    emptied: number,
    counts: number,
    singles: number,
  ): void;
  addWeights(slots: number, weights: number, n: number, payload: number, gone: number, counts: number): number;
  clearAdded(slots: number, n: number, payload: number): void;
  shareRun(slots: number, n: number, payload: number, row: number): void;
  /** assembly/new_rows.ts */
  newRows(
    slots: number,
    n: number,
    payload: number,
    columns: number,
    count: number,
    validAt: number,
    stride: number,
    fresh: number,
    left: number,
    counts: number,
  ): void;
  countPairs(slots: number, n: number, payload: number, older: boolean): number;
  expandPairs(
    slots: number,
    weights: number,
    n: number,
    payload: number,
    stride: number,
    weightAt: number,
    older: boolean,
    rows: number,
    others: number,
    products: number,
  ): number;
  /** assembly/probe.ts; `probe` is laid out as probe_layout.ts says. */
  findPairs(probe: number): number;
  nextPairs(
    slots: number,
    weights: number,
    n: number,
    payload: number,
    stride: number,
    weightAt: number,
    older: boolean,
    place: number,
    most: number,
    rows: number,
    others: number,
    products: number,
  ): number;
  /** assembly/sort_keys.ts; columns and records are laid out as sort_layout.ts says. */
  sortRecords(columns: number, count: number, n: number, piece: number, to: number): void;
  sortRecordsUpTo(columns: number, count: number, n: number, last: number, to: number): number;
  /** assembly/sort_records.ts; likewise; booleans are 0 and 1. */
  sortRun(records: number, n: number, other: number): void;
  mergeRecords(merge: number, most: number): number;
  recordsUpTo(records: number, n: number, last: number): number;
  nextTie(records: number, i: number, n: number): number;
  /** assembly/json/scan.ts; `scan` is laid out as json_layout.ts says. */
  scanJson(scan: number, from: number, to: number, row: number): number;
  scanJsonScalar(scan: number, start: number, end: number, row: number): number;
  /** assembly/json/extent.ts; `result` is laid out as json_layout.ts says. */
  extentOf(starts: number, ends: number, n: number, result: number): void;
}

function load(): Kernels {
  const file = new URL('./kernels.wasm', import.meta.url);
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new Error('the kernels are not built: run npm run setup', { cause: error });
  }
  const module = new WebAssembly.Module(bytes);
  return new WebAssembly.Instance(module, { env: { memory, touch: touchRange } }).exports as unknown as Kernels;
}

export const kernels: Kernels = load();

/** The module's functions as other modules import them: a call from WebAssembly to WebAssembly. */
export const kernelExports = kernels as unknown as Record<string, (...args: number[]) => unknown>;
