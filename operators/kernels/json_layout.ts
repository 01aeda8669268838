/**
 * What the JSON scanner's caller and its kernel (assembly/json) agree on: byte offsets of the fields of the records that lie in the shared memory.
 * Plain numbers, because both compilers read this file. All fields are u32 unless said.
 *
 *   scan     one for each decode(): where everything is, and why the kernel stopped
 *   column   one for each column read from the object, in the order of their numbers
 *   key      one for each declared name, then room for names met in messages
 *   deferred one for each value of the stopped record that the caller has to convert
 */
export const SCAN_COLUMNS = 0;
export const SCAN_COLUMN_COUNT = 4;
export const SCAN_BUCKETS = 8;
export const SCAN_BUCKET_MASK = 12;
/** The key expected first. */
export const SCAN_FIRST_KEY = 16;
export const SCAN_FREE_KEY = 20;
export const SCAN_FREE_KEY_END = 24;
/** Addresses of i32 by record: its first byte (-1: no value), and the byte behind its last; `shift` makes positions addresses. */
export const SCAN_STARTS = 28;
export const SCAN_ENDS = 36;
export const SCAN_SHIFT = 32;
export const SCAN_WEIGHTS = 40;
/** Free memory for texts with escapes. */
export const SCAN_SCRATCH = 44;
export const SCAN_SCRATCH_END = 48;
/** Counts records, to know which columns the present one had. */
export const SCAN_GENERATION = 52;
export const SCAN_STATUS = 56;
export const SCAN_DEFERRED = 60;
export const SCAN_DEFERRED_COUNT = 64;
/** Not 0: some value that is not for the spare slot may have become NULL. */
export const SCAN_NULLS = 68;
/** The column whose values' bounds are kept, 0: none; and these as i64, the least above the greatest where there is no value. */
export const SCAN_TIME = 72;
export const SCAN_LEAST = 80;
export const SCAN_GREATEST = 88;
export const SCAN_BYTES = 96;

/** What the kernel of extents tells of some records: the first byte of all, the byte behind the last (0: none has a value), how many bytes they have. */
export const EXTENT_FIRST = 0;
export const EXTENT_LAST = 4;
export const EXTENT_SUM = 8;
export const EXTENT_BYTES = 12;

/** How a scan ended: all records read; a record for the exact reader; values to convert; the scratch memory is full. */
export const STATUS_DONE = 0;
export const STATUS_ODD = 1;
export const STATUS_DEFERRED = 2;
export const STATUS_SCRATCH = 3;

export const COLUMN_FORM = 0;
export const COLUMN_WIDTH = 4;
export const COLUMN_NOT_NULL = 8;
/** Addresses of row 0's slot and validity byte; steps 0 mean that all rows go to one spare slot. */
export const COLUMN_DATA = 12;
export const COLUMN_STEP = 16;
export const COLUMN_VALID = 20;
export const COLUMN_VALID_STEP = 24;
/** numeric(precision, scale), i32; scale -1: as written. */
export const COLUMN_PRECISION = 28;
export const COLUMN_SCALE = 32;
export const COLUMN_SEEN = 36;
/** What a field that the object does not have gives: one of these, or the address of a slot to copy. */
export const COLUMN_MISSING = 40;
export const MISSING_NULL = 0;
export const MISSING_ODD = 1;
export const COLUMN_BYTES = 48;

/** Address of the column, 0 for an undeclared name. */
export const KEY_COLUMN = 0;
/** The key that came after this one last time. */
export const KEY_NEXT = 4;
/** The next key of the same bucket. */
export const KEY_CHAIN = 8;
/** Address and length of the name with quote and colon behind it; 16 bytes may be read from any 16th. */
export const KEY_TEXT = 12;
export const KEY_LENGTH = 16;
export const KEY_HASH = 20;
/** A bit for each of the first 16 bytes of the text. */
export const KEY_MASK = 24;
export const KEY_BYTES = 28;

/** Column's address, first byte of the value, the byte behind it. */
export const DEFERRED_COLUMN = 0;
export const DEFERRED_START = 4;
export const DEFERRED_END = 8;
export const DEFERRED_BYTES = 12;

/** How a column's values are read; `other` ones are converted by the caller. */
export const FORM_OTHER = 0;
export const FORM_BOOL = 1;
export const FORM_INT2 = 2;
export const FORM_INT4 = 3;
export const FORM_INT8 = 4;
export const FORM_FLOAT8 = 5;
export const FORM_NUMERIC = 6;
export const FORM_TEXT = 7;
export const FORM_JSON = 8;
export const FORM_DATE = 9;
export const FORM_TIMESTAMP = 10;
export const FORM_TIMESTAMPTZ = 11;
