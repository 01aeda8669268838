/**
 * What the callers of assembly/encode_rows.ts and the kernel agree on: byte offsets in records in the shared memory, all fields u32. Plain numbers,
 * because both compilers read this file.
 *
 *   encode   how rows become messages, followed by one `field` for each column
 */
export const ENCODE_FIELDS = 0;
/** Type byte of each row's message. */
export const ENCODE_TYPE = 4;
/** 0: fields with their lengths (DataRow). 1: lines of COPY in text. */
export const ENCODE_LINES = 8;
/** Of lines: the delimiter; what NULL is; 256 bytes, for each byte what follows the backslash, or 0. */
export const ENCODE_DELIMITER = 12;
export const ENCODE_NULL = 16;
export const ENCODE_NULL_BYTES = 20;
export const ENCODE_ESCAPES = 24;
/** Bytes of a row at most, without raw values. */
export const ENCODE_FIXED_BYTES = 28;
/** Of timestamptz: seconds east of Greenwich, or the address of offsets by quarter of an hour: f64 quarter, i32 offset, 4 bytes. 0: the former. */
export const ENCODE_OFFSET = 32;
export const ENCODE_QUARTERS = 36;
/** Result: bytes written; why it stopped before the last row. */
export const ENCODE_WRITTEN = 40;
export const ENCODE_STOPPED = 44;
export const ENCODE_HEAD_BYTES = 48;

export const FIELD_KIND = 0;
export const FIELD_DATA = 4;
export const FIELD_VALID = 8;
/** Of raw values: the byte that stands before each, plus 1; or 0. */
export const FIELD_PREFIX = 12;
export const FIELD_BYTES = 16;

/** Why it stopped: no room for the row; a value that is written in the general way; a quarter whose offset is not known. */
export const STOP_ROOM = 1;
export const STOP_ODD = 2;
export const STOP_OFFSET = 3;

/** Places of the offsets by quarter: of 40 days. */
export const QUARTER_PLACES = 4096;

/** Text forms. */
export const KIND_BOOL = 1;
export const KIND_INT = 2;
export const KIND_UINT = 3;
export const KIND_BIG = 4;
export const KIND_DATE = 5;
export const KIND_TIME = 6;
export const KIND_TIMESTAMP = 7;
export const KIND_ZONED = 8;
export const KIND_NUMERIC = 9;
export const KIND_UUID = 10;
/** Bytes as they are, in lines escaped. */
export const KIND_RAW = 11;
/** Binary forms: so many bytes of the slot, turned round; as they are. */
export const KIND_TURNED_2 = 12;
export const KIND_TURNED_4 = 13;
export const KIND_TURNED_8 = 14;
export const KIND_PLAIN_1 = 15;
export const KIND_PLAIN_16 = 16;
