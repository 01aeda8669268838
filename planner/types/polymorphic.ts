/**
 * Polymorphic types (PostgreSQL manual, 38.2.5): what anyelement, anyarray, anycompatible, ... stand for in one call.
 *
 *   anyelement family: all the same      anyarray = array of E, anyrange = range of E, anynonarray, anyenum = E with a condition
 *   anycompatible family: their common type (10.5)
 *
 * `isConsistent` is the silent check that overload resolution makes; `solvePolymorphic` gives the types or says what is wrong.
 */
import { SqlError } from '../../operators/errors.ts';
import { OID } from '../../operators/types.ts';
import {
  ANYCOMPATIBLE,
  ANYCOMPATIBLEARRAY,
  ANYCOMPATIBLEMULTIRANGE,
  ANYCOMPATIBLENONARRAY,
  ANYCOMPATIBLERANGE,
  ANYENUM,
  ANYMULTIRANGE,
  ANYNONARRAY,
  ANYRANGE,
  arrayTypeOf,
  baseTypeOf,
  elementTypeOf,
  typeByOid,
} from './catalog.ts';
import { commonTypeOf } from './common_type.ts';
import { formatType } from './format_type.ts';
import { multirangeOf, rangeElementOf, rangeOfMultirange } from './range.ts';

const SAME_FAMILY = new Set<number>([OID.anyelement, OID.anyarray, ANYNONARRAY, ANYENUM, ANYRANGE, ANYMULTIRANGE]);
const COMPATIBLE_FAMILY = new Set<number>([
  ANYCOMPATIBLE,
  ANYCOMPATIBLEARRAY,
  ANYCOMPATIBLENONARRAY,
  ANYCOMPATIBLERANGE,
  ANYCOMPATIBLEMULTIRANGE,
]);

export function isPolymorphic(oid: number): boolean {
  return SAME_FAMILY.has(oid) || COMPATIBLE_FAMILY.has(oid);
}

/** What each pseudo-type stands for; 0 where the call does not tell. */
export interface Polymorphism {
  element: number;
  array: number;
  range: number;
  multirange: number;
  compatible: number;
  compatibleRange: number;
  compatibleMultirange: number;
}

function mismatch(message: string, detail?: string): SqlError {
  return new SqlError('42804', message, detail === undefined ? {} : { detail });
}

function notAlike(declared: string, a: number, b: number): SqlError {
  return mismatch(`arguments declared "${declared}" are not all alike`, `${formatType(a)} versus ${formatType(b)}`);
}

function inconsistent(first: string, second: string, a: number, b: number): SqlError {
  return mismatch(
    `argument declared ${first} is not consistent with argument declared ${second}`,
    `${formatType(a)} versus ${formatType(b)}`,
  );
}

function isNot(declared: string, what: string, actual: number): SqlError {
  return mismatch(`argument declared ${declared} is not ${what} but type ${formatType(actual)}`);
}

/** Types that the declared pseudo-types are matched with, gathered before any of them is derived from another. */
class Matches {
  element = 0;
  array = 0;
  range = 0;
  multirange = 0;
  compatibleRange = 0;
  compatibleMultirange = 0;
  /** Types whose common type is anycompatible's. */
  readonly compatibleTypes: number[] = [];
  sameCount = 0;
  compatibleCount = 0;
  nonArray = false;
  isEnum = false;
  compatibleNonArray = false;
  hasCompatibleArray = false;
  hasCompatibleRange = false;
  hasCompatibleMultirange = false;

  add(declared: number, actual: number): void {
    if (SAME_FAMILY.has(declared)) {
      this.sameCount++;
      if (declared === ANYNONARRAY) this.nonArray = true;
      if (declared === ANYENUM) this.isEnum = true;
      if (actual !== OID.unknown) this.addSame(declared, actual);
    } else if (COMPATIBLE_FAMILY.has(declared)) {
      this.compatibleCount++;
      if (declared === ANYCOMPATIBLENONARRAY) this.compatibleNonArray = true;
      if (declared === ANYCOMPATIBLEARRAY) this.hasCompatibleArray = true;
      if (declared === ANYCOMPATIBLERANGE) this.hasCompatibleRange = true;
      if (declared === ANYCOMPATIBLEMULTIRANGE) this.hasCompatibleMultirange = true;
      if (actual !== OID.unknown) this.addCompatible(declared, actual);
    }
  }

  private addSame(declared: number, actual: number): void {
    const agree = (had: number, now: number, name: string): number => {
      if (had !== 0 && had !== now) throw notAlike(name, had, now);
      return now;
    };
    const base = baseTypeOf(actual);
    if (declared === OID.anyarray) this.array = agree(this.array, base, 'anyarray');
    else if (declared === ANYRANGE) this.range = agree(this.range, base, 'anyrange');
    else if (declared === ANYMULTIRANGE) this.multirange = agree(this.multirange, base, 'anymultirange');
    else this.element = agree(this.element, actual, 'anyelement');
  }

  private addCompatible(declared: number, actual: number): void {
    const base = baseTypeOf(actual);
    switch (declared) {
      case ANYCOMPATIBLEARRAY: {
        const element = elementTypeOf(base);
        if (element === 0) throw isNot('anycompatiblearray', 'an array', base);
        this.compatibleTypes.push(element);
        return;
      }
      case ANYCOMPATIBLERANGE: {
        if (this.compatibleRange === base) return;
        if (this.compatibleRange !== 0) throw notAlike('anycompatiblerange', this.compatibleRange, base);
        const element = rangeElementOf(base);
        if (element === 0) throw isNot('anycompatiblerange', 'a range type', base);
        this.compatibleRange = base;
        this.compatibleTypes.push(element);
        return;
      }
      case ANYCOMPATIBLEMULTIRANGE: {
        if (this.compatibleMultirange === base) return;
        if (this.compatibleMultirange !== 0) throw notAlike('anycompatiblemultirange', this.compatibleMultirange, base);
        const element = rangeElementOf(rangeOfMultirange(base));
        if (element === 0) throw isNot('anycompatiblemultirange', 'a multirange type', base);
        this.compatibleMultirange = base;
        this.compatibleTypes.push(element);
        return;
      }
      default:
        this.compatibleTypes.push(actual);
    }
  }

  /** Element, range and multirange from one another. */
  deriveSame(): void {
    if (this.array === OID.anyarray) {
      // A column of pg_statistic: it matches anyarray alone, of which no element type is known.
      if (this.sameCount > 1) throw mismatch('cannot determine element type of "anyarray" argument');
    } else if (this.array !== 0) {
      const element = elementTypeOf(this.array);
      if (element === 0) throw isNot('anyarray', 'an array', this.array);
      if (this.element === 0) this.element = element;
      else if (this.element !== element) throw inconsistent('anyarray', 'anyelement', this.array, this.element);
    }
    if (this.multirange !== 0) {
      const range = rangeOfMultirange(this.multirange);
      if (range === 0) throw isNot('anymultirange', 'a multirange type', this.multirange);
      if (this.range === 0) this.range = range;
      else if (this.range !== range) throw inconsistent('anymultirange', 'anyrange', this.multirange, this.range);
    } else if (this.range !== 0) {
      this.multirange = multirangeOf(this.range);
    }
    if (this.range !== 0) {
      const element = rangeElementOf(this.range);
      if (element === 0) throw isNot('anyrange', 'a range type', this.range);
      if (this.element === 0) this.element = element;
      else if (this.element !== element) throw inconsistent('anyrange', 'anyelement', this.range, this.element);
    }
    if (this.nonArray && elementTypeOf(baseTypeOf(this.element)) !== 0) {
      throw mismatch(`type matched to anynonarray is an array type: ${formatType(this.element)}`);
    }
    if (this.isEnum && typeByOid(this.element)?.kind !== 'e') {
      throw mismatch(`type matched to anyenum is not an enum type: ${formatType(this.element)}`);
    }
  }

  /** The common type of the anycompatible family; 0 when every argument is untyped. */
  deriveCompatible(): number {
    if (this.compatibleTypes.length === 0) return 0;
    const common = commonTypeOf(this.compatibleTypes, null);
    if (common === null) throw mismatch('arguments of anycompatible family cannot be cast to a common type');
    if (this.compatibleMultirange !== 0) {
      const range = rangeOfMultirange(this.compatibleMultirange);
      if (this.compatibleRange === 0) this.compatibleRange = range;
      else if (this.compatibleRange !== range) {
        throw inconsistent(
          'anycompatiblemultirange',
          'anycompatiblerange',
          this.compatibleMultirange,
          this.compatibleRange,
        );
      }
    }
    if (this.compatibleRange !== 0) {
      if (rangeElementOf(this.compatibleRange) !== common) {
        throw mismatch(
          `anycompatiblerange type ${formatType(this.compatibleRange)} does not match anycompatible type ${formatType(common)}`,
        );
      }
      if (this.compatibleMultirange === 0) this.compatibleMultirange = multirangeOf(this.compatibleRange);
    }
    if (this.compatibleNonArray && elementTypeOf(baseTypeOf(common)) !== 0) {
      throw mismatch(`type matched to anycompatiblenonarray is an array type: ${formatType(common)}`);
    }
    return common;
  }
}

function match(declared: number[], actual: number[]): Matches {
  const matches = new Matches();
  for (let i = 0; i < actual.length; i++) matches.add(declared[i], actual[i]);
  return matches;
}

/** True when the actual types can stand for the declared pseudo-types; others are not looked at. */
export function isConsistent(declared: number[], actual: number[]): boolean {
  try {
    const matches = match(declared, actual);
    matches.deriveSame();
    matches.deriveCompatible();
    return true;
  } catch (e) {
    if (e instanceof SqlError) return false;
    throw e;
  }
}

/** The types the pseudo-types stand for; null when no declared type is polymorphic. Throws 42804. */
export function solvePolymorphic(declared: number[], actual: number[]): Polymorphism | null {
  const m = match(declared, actual);
  if (m.sameCount === 0 && m.compatibleCount === 0) return null;
  if (m.sameCount > 0) {
    m.deriveSame();
    if (m.element === 0 && m.array !== OID.anyarray) {
      throw mismatch('could not determine polymorphic type because input has type unknown');
    }
  }
  let compatible = 0;
  if (m.compatibleCount > 0) {
    compatible = m.deriveCompatible();
    if (compatible === 0) {
      if (m.hasCompatibleRange || m.hasCompatibleMultirange) {
        const name = m.hasCompatibleRange ? 'anycompatiblerange' : 'anycompatiblemultirange';
        throw mismatch(`could not determine polymorphic type ${name} because input has type unknown`);
      }
      compatible = OID.text;
    }
  }
  return {
    element: m.element,
    array: m.array,
    range: m.range,
    multirange: m.multirange,
    compatible,
    compatibleRange: m.compatibleRange,
    compatibleMultirange: m.compatibleMultirange,
  };
}

function arrayOver(element: number): number {
  const array = arrayTypeOf(element);
  if (array === 0) throw new SqlError('42704', `could not find array type for data type ${formatType(element)}`);
  return array;
}

function known(type: number, name: string): number {
  if (type !== 0) return type;
  throw mismatch(`could not determine polymorphic type ${name} because input has type unknown`);
}

/** The type that `declared` stands for; a type that is not polymorphic is itself. */
export function resolvePolymorphic(declared: number, p: Polymorphism | null): number {
  if (p === null) return declared;
  switch (declared) {
    case OID.anyelement:
    case ANYNONARRAY:
    case ANYENUM:
      return p.element === 0 ? declared : p.element;
    case OID.anyarray:
      return p.array === 0 ? arrayOver(p.element) : p.array;
    case ANYRANGE:
      return known(p.range, 'anyrange');
    case ANYMULTIRANGE:
      return known(p.multirange, 'anymultirange');
    case ANYCOMPATIBLE:
    case ANYCOMPATIBLENONARRAY:
      return p.compatible;
    case ANYCOMPATIBLEARRAY:
      return arrayOver(p.compatible);
    case ANYCOMPATIBLERANGE:
      return known(p.compatibleRange, 'anycompatiblerange');
    case ANYCOMPATIBLEMULTIRANGE:
      return known(p.compatibleMultirange, 'anycompatiblemultirange');
    default:
      return declared;
  }
}

/**
 * The type that an argument is coerced to: the declared one, with pseudo-types resolved. An argument of anyelement's family keeps
 * its own type; a domain over an array or range becomes what it is over.
 */
export function argumentType(declared: number, actual: number, p: Polymorphism | null): number {
  if (actual !== OID.unknown && SAME_FAMILY.has(declared)) {
    return declared === OID.anyarray || declared === ANYRANGE || declared === ANYMULTIRANGE
      ? baseTypeOf(actual)
      : actual;
  }
  return resolvePolymorphic(declared, p);
}
