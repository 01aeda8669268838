/** What the module of kernels exports. */
export {
  anyWeights,
  extremeTexts,
  flip,
  flipBits,
  freshDeadlines,
  groupNumbers,
  groupsWithRows,
  numberGroups,
  passingWeights,
  takeIn,
  touchGroups,
  untouchGroups,
  writeCounts,
  writeSums,
} from './aggregate';
export { appendFound, appendLocated, appendRows, storeAppended } from './append';
export { writeAverages, writeTotalAverages } from './averages';
export { addToBits } from './bit_counts';
export { allOne, allPositive, allSet, boundsOfInt64, copyBytes, equalBytes, fillBytes, hashBytes } from './bytes';
export { freeRuns, freeTexts } from './dead_keys';
export { freeDeadRows } from './dead_rows';
export { deadlines } from './deadline';
export { enterSlots, giveSlots, hashesFound, rehash, removeEntry, removeSlots } from './directory';
export { encodeRows } from './encode_rows';
export { writeFloats } from './float_totals';
export { gatherColumn, loadColumn } from './gather';
export { addWeights, slotHashes, takeOut, writeHashes } from './index_changes';
export { clearAdded, countPairs, expandPairs, growRuns, inOrder, nextPairs, placeInLog, shareRun, storeRows } from './index_rows';
export { itemRows } from './items';
export { jsonElement, jsonField } from './json_text';
export { findKeys, findOrInsertKeys, sumEqual } from './keys';
export { extentOf } from './json/extent';
export { scanJson, scanJsonScalar } from './json/scan';
export { lz4Block, lz4Size } from './lz4';
export { centreMoments } from './moments';
export { hashSmallNumeric, wideBytes } from './numeric';
export { writeTotals } from './numeric_totals';
export { longTexts, ownTexts } from './own_texts';
export { newRows } from './new_rows';
export { copyUsedSlots, deadSlots, freshSlots, sweepSlots, usedSlots } from './row_table';
export { fillBucket, lastLike } from './expiry';
export { packRuns } from './pack_runs';
export { slotParts } from './parts';
export { packKeys } from './pack_keys';
export { findPairs } from './probe';
export { searchOnePass } from './regex';
export {
  addToSessions,
  allSessions,
  beginRun,
  changedSessions,
  deadSessions,
  sessionColumns,
  sessionDues,
  timedWeights,
} from './sessions';
export { sortRecords, sortRecordsUpTo } from './sort_keys';
export { mergeRecords, nextTie, recordsUpTo, sortRun } from './sort_records';
export {
  slotCase,
  slotCharacters,
  slotGroup,
  slotOccurrences,
  slotReplace,
  slotsEqual,
  slotSearch,
} from './text_slots';
export {
  casesOf,
  changeCase,
  countBytes,
  countCharacters,
  findBytes,
  isAscii,
  replaceBytes,
  splitPart,
} from './texts';
export { topChanges, topInsert, topKeep, topResolve } from './top_few';
export { firstRows, keepFirst } from './top_one';
export { countWindows, fillWindows, sliceTimes } from './time_windows';
export { bestRows } from './top_ties';
export { addToTotal } from './totals';
export { splitArray } from './split_array';
export { compareBytes, longBytes, ownLong, packVarlen, spanOfTexts, touchTexts, unpackVarlen, varlenBytes } from './varlen';
