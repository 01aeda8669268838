/**
 * What AggregateOperator and its kernels (assembly/aggregate.ts) agree on: a record for each call that the kernels take in, all fields u32. Plain
 * numbers, because both compilers read this file.
 */
export const CALL_KIND = 0;
/** Byte offset of the call's state in a group's bytes. */
export const CALL_OFFSET = 4;
/** Byte address of the rows' weights for this call. */
export const CALL_WEIGHTS = 8;
/** The argument; validity 0: no NULLs. */
export const CALL_DATA = 12;
export const CALL_VALID = 16;
/** Where a call of totals lists the rows that it leaves: their number, then theirs. */
export const CALL_REST = 20;
/** The second argument of a call that has two. */
export const CALL_DATA_2 = 24;
export const CALL_VALID_2 = 28;
export const CALL_BYTES = 32;

/** What a call does with a row. */
export const CALL_COUNT = 0;
export const CALL_SUM_INT4 = 1;
export const CALL_SUM_INT8 = 2;
export const CALL_LEAST_INT4 = 3;
export const CALL_GREATEST_INT4 = 4;
export const CALL_LEAST_INT8 = 5;
export const CALL_GREATEST_INT8 = 6;
/** Numeric totals; with the squares of what is added up beside them. */
export const CALL_TOTAL_NUMERIC = 7;
export const CALL_SQUARES_NUMERIC = 8;
export const CALL_SQUARES_INT4 = 9;
export const CALL_SQUARES_INT8 = 10;
/** Exact totals of doubles. */
export const CALL_TOTAL_FLOAT = 11;
/** Exact sums of doubles and their squares; of the first and the second argument, and of their products. */
export const CALL_MOMENTS = 12;
export const CALL_PAIR_MOMENTS = 13;
/** How many values are true; how many of integers of 16, 32 and 64 bits have each bit. */
export const CALL_TRUTH = 14;
export const CALL_BITS_16 = 15;
export const CALL_BITS_32 = 16;
export const CALL_BITS_64 = 17;

/** Bytes of the state of a least or greatest value before its validity byte, which says whether there is one. */
export const EXTREME_INT4_BYTES = 4;
export const EXTREME_INT8_BYTES = 8;
export const EXTREME_TEXT_BYTES = 16;

/**
 * A numeric total: the sum in units of 10^-scale, 128 bits, and of each scale how many values have it:
 *
 *   | i64 low, i64 high | i32 x 6 numbers of values | u8 x 6 their scales | u8 scale of the sum, the largest that came | u8 form |
 *
 * A scale is one's own as long as its number is not 0. In the other form there is the slot of a record (aggregates/numeric_totals.ts) in the first 16 bytes, and the rest
 * is zero. The sum of squares, in units of the square of the total's, lies behind: | i64 low, i64 high |.
 */
export const TOTAL_COUNTS = 16;
export const TOTAL_SCALES = 40;
export const TOTAL_SCALE = 46;
export const TOTAL_FORM = 47;
export const TOTAL_BYTES = 48;
export const TOTAL_SQUARES = 48;
export const SQUARES_BYTES = 64;
/** So many scales. */
export const TOTAL_KINDS = 6;
export const TOTAL_MOST_SCALE = 255;
/** Sums are kept to this many bits, so that one more product cannot reach 127. */
export const TOTAL_BITS = 125;
/** What `form` says. */
export const FORM_TOTAL = 0;
export const FORM_RECORD = 1;

/**
 * An exact total of doubles: | u64 x 3: the sum in units of 2^unit, two's complement, low word first | f64 number of values | i16 unit |; the form is where that of numeric totals is. A sum of
 * 0 has no unit.
 */
export const FLOAT_COUNT = 24;
export const FLOAT_UNIT = 32;

/**
 * Moments of doubles: exact sums of x and x^2, and of pairs (y, x) of y, y^2 and xy as well. A sum is | u64 x 4: in units of 2^unit, two's complement, low word first |, with
 * its unit (i16) beside it; that of 0 has none. The form is where that of numeric totals is.
 *
 *   | x | f64 number of values | i16 unit of x, of x^2 | .. form | x^2 |  and of pairs  | y | y^2 | xy | i16 units of y, y^2, xy | .. |
 */
export const MOMENT_BYTES = 32;
export const MOMENTS_COUNT = 32;
export const MOMENT_XX = 48;
export const MOMENTS_BYTES = 80;
export const MOMENT_Y = 80;
export const MOMENT_YY = 112;
export const MOMENT_XY = 144;
export const PAIR_MOMENTS_BYTES = 184;
export const UNIT_X = 40;
export const UNIT_XX = 42;
export const UNIT_Y = 176;
export const UNIT_YY = 178;
export const UNIT_XY = 180;
/** What the kernel makes of moments, doubles: the centred sums of x^2, y^2, xy, the means of x and y; then its scratch memory. */
export const CENTRED_SYY = 8;
export const CENTRED_SXY = 16;
export const CENTRED_MEAN_X = 24;
export const CENTRED_MEAN_Y = 32;
export const CENTRED_BYTES = 512;

/** Truth values: | f64 number of values | f64 number of true ones |; bits of integers: | f64 number of values | f64 x bits: how many have each, lowest first |. */
export const TRUTH_TRUES = 8;
export const TRUTH_BYTES = 16;
export const BITS_SET = 8;

/** A result that is a wide numeric may need so many bytes outside of its slot. */
export const WIDE_RESULT_BYTES = 16;
