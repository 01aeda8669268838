/**
 * What runs inside the sandbox besides bodies, as text: REALM makes the world that bodies see one that nobody can change and that has no clock, then gives `define`, which makes functions.
 *
 *   define(function, its text, kinds of parameters and result) -> run(rows as JSON) -> results as JSON
 *
 * Equal arguments must give an equal result whatever was called before, so two calls may share nothing that can change:
 *
 *   - every object that a body can reach without making it is frozen: all that the global object, and what syntax and built-in functions make (generators, iterators, ...), lead to.
 *     A prototype that only such an object has must be among the roots; the test looks for others
 *   - what changes without being an object's property goes: Error.stackTraceLimit and prepareStackTrace, WeakRef and FinalizationRegistry (they see when memory is collected)
 *   - clock and chance throw: Date without arguments, Date.now, Math.random
 *   - a body is one strict function, whose source is all of the text that was read: it has no variables around it. `} , ((n) => () => n++)(0), function () {` is refused by that
 *   - what calls bodies uses what it took before the first of them was read
 *
 * Frozen prototypes would forbid `error.name = 'E'` and `o.toString = f`, as an inherited property that cannot be written hides none: these few names become accessors, which define the
 * property of the object that is written to.
 */

export const REALM = String.raw`(function () {
'use strict';
const { parse, stringify } = JSON;
const { getPrototypeOf, getOwnPropertyDescriptor, defineProperty, freeze, is } = Object;
const { ownKeys, apply, construct } = Reflect;
const { isArray } = Array;
const call = Function.prototype.call;
const uncurried = (method) => call.bind(method);
const sourceOf = uncurried(Function.prototype.toString);
const isoOf = uncurried(Date.prototype.toISOString);
const timeOf = uncurried(Date.prototype.getTime);
const lengthOf = uncurried(getOwnPropertyDescriptor(getPrototypeOf(Uint8Array.prototype), 'byteLength').get);
const bufferOf = uncurried(getOwnPropertyDescriptor(getPrototypeOf(Uint8Array.prototype), 'buffer').get);
const offsetOf = uncurried(getOwnPropertyDescriptor(getPrototypeOf(Uint8Array.prototype), 'byteOffset').get);
const hexDigit = uncurried(Number.prototype.toString);
const hasOwn = uncurried(Object.prototype.hasOwnProperty);
const codeAt = uncurried(String.prototype.charCodeAt);
const matchOf = uncurried(RegExp.prototype.exec);
const [Text, Big, Bytes, Failure, iterator] = [String, BigInt, Uint8Array, TypeError, Symbol.iterator];
const isView = ArrayBuffer.isView;

function isDate(value) {
  try {
    timeOf(value);
    return true;
  } catch {
    return false;
  }
}

// Clock and chance.
const fail = (name) => () => {
  throw new Failure(name + ' is not there: a function gives the same for the same arguments');
};
const RealDate = Date;
const NewDate = function Date(...values) {
  if (new.target === undefined || values.length === 0) fail('the present time')();
  return construct(RealDate, values, new.target === NewDate ? RealDate : new.target);
};
for (const key of ownKeys(RealDate)) {
  if (key === 'now') defineProperty(NewDate, key, { value: fail('Date.now()'), configurable: true });
  else defineProperty(NewDate, key, getOwnPropertyDescriptor(RealDate, key));
}
defineProperty(RealDate.prototype, 'constructor', { value: NewDate, writable: true, configurable: true });
globalThis.Date = NewDate;
Math.random = fail('Math.random()');

// What would let one call see another.
for (const name of ['WeakRef', 'FinalizationRegistry', 'SharedArrayBuffer', 'Atomics', 'performance', 'queueMicrotask', 'setTimeout', 'navigator', 'gc'])
  delete globalThis[name];
for (const name of ['stackTraceLimit', 'prepareStackTrace']) delete Error[name];

const roots = [
  globalThis, NewDate,
  function* () {}, async function () {}, async function* () {}, () => {},
  [][iterator](), new Map()[iterator](), new Set()[iterator](), ''[iterator](), 'a'.matchAll(/a/g),
  (function* () {})(), (async function* () {})(), (function () { return arguments; })(),
];
roots.push(Iterator.from({ next() {} }), [].values().map((x) => x), Iterator.concat([]), Iterator.zip([[]]), Iterator.zipKeyed({ a: [] }));

const WRITTEN_OVER = ['constructor', 'name', 'message', 'stack', 'toString', 'toLocaleString', 'valueOf', 'hasOwnProperty', 'toJSON', 'length'];
const seen = new Set();
const waiting = [...roots];
const objects = [];
while (waiting.length > 0) {
  const value = waiting.pop();
  if (value === null || (typeof value !== 'object' && typeof value !== 'function') || seen.has(value)) continue;
  seen.add(value);
  objects.push(value);
  waiting.push(getPrototypeOf(value));
  for (const key of ownKeys(value)) {
    const property = getOwnPropertyDescriptor(value, key);
    waiting.push(property.value, property.get, property.set);
  }
}
for (const object of objects) {
  // Of prototypes alone something is inherited.
  if (!hasOwn(object, 'constructor')) continue;
  for (const key of WRITTEN_OVER) {
    const property = getOwnPropertyDescriptor(object, key);
    if (property === undefined || !property.writable || !property.configurable) continue;
    const { value, enumerable } = property;
    const accessor = {
      get() {
        return value;
      },
      set(next) {
        if (this === object) throw new Failure('cannot change ' + key + ': it is shared');
        defineProperty(this, key, { value: next, writable: true, enumerable: true, configurable: true });
      },
    };
    defineProperty(object, key, { get: freeze(accessor.get), set: freeze(accessor.set), enumerable, configurable: false });
  }
}
for (const object of objects) freeze(object);

// Arguments.
const given = {
  plain: (value) => value,
  int8: (value) => Big(value),
  bytes: (hex) => {
    const bytes = new Bytes(hex.length / 2);
    const digit = (i) => {
      const code = codeAt(hex, i);
      return code < 58 ? code - 48 : code - 87;
    };
    for (let i = 0; i < bytes.length; i++) bytes[i] = digit(2 * i) * 16 + digit(2 * i + 1);
    return bytes;
  },
  float: (value) => (typeof value === 'string' ? (value === '-0' ? -0 : value === 'NaN' ? NaN : value === 'Infinity' ? Infinity : -Infinity) : value),
};
function items(values, read) {
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value !== null) values[i] = isArray(value) ? items(value, read) : read(value);
  }
  return values;
}

// Results.
class WrongResult {
  constructor(what) {
    this.what = what;
  }
}
const wrong = (what) => new WrongResult(what);
function numberText(value) {
  return is(value, -0) ? '-0' : '' + value;
}
function scalar(value) {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      return numberText(value);
    case 'bigint':
    case 'boolean':
      return '' + value;
    case 'object':
      if (isDate(value)) {
        if (timeOf(value) !== timeOf(value)) throw wrong('an invalid Date');
        return isoOf(value);
      }
      throw wrong(isArray(value) ? 'an array' : 'an object');
    default:
      throw wrong('a ' + typeof value);
  }
}
function hexOf(value) {
  let bytes = value;
  if (!isView(value)) {
    try {
      bytes = new Bytes(value);
    } catch {
      throw wrong('an object');
    }
  } else bytes = new Bytes(bufferOf(value), offsetOf(value), lengthOf(value));
  let hex = '\\x';
  for (let i = 0; i < bytes.length; i++) hex += (bytes[i] < 16 ? '0' : '') + hexDigit(bytes[i], 16);
  return hex;
}
const isNothing = (value) => value === undefined || value === null;
const taken = {
  text: scalar,
  int: (value) => (typeof value === 'number' && value === value && value - value === 0 ? value : scalar(value)),
  float: (value) => (typeof value === 'number' && value - value === 0 && !is(value, -0) ? value : scalar(value)),
  bytes: (value) => (typeof value === 'object' ? hexOf(value) : scalar(value)),
  json: (value) => {
    const text = stringify(value);
    if (text === undefined) throw wrong('a ' + typeof value);
    return text;
  },
};
function arrayOf(value, take) {
  const list = [];
  const { length } = value;
  for (let i = 0; i < length; i++) {
    const item = value[i];
    list[i] = isNothing(item) ? null : isArray(item) && take !== taken.json ? arrayOf(item, take) : take(item);
  }
  return list;
}
function taker({ kind, item, columns }) {
  if (kind === 'array') {
    const take = taken[item];
    return (value) => (isArray(value) ? arrayOf(value, take) : scalar(value));
  }
  if (kind !== 'rows') return taken[kind];
  const takers = columns.map((column) => taker(column));
  const names = columns.map(({ name }) => name);
  const one = (take, value) => (isNothing(value) ? null : take(value));
  return (value) => {
    if (typeof value !== 'object' || typeof value[iterator] !== 'function') throw wrong('what is no list of rows');
    const rows = [];
    let n = 0;
    for (const row of value) {
      const out = [];
      for (let i = 0; i < takers.length; i++) {
        let field = row;
        if (names[i] !== null) {
          if (typeof row === 'object' && row !== null) field = row[names[i]];
          else if (takers.length > 1) throw wrong('a row that is no object');
        }
        out[i] = one(takers[i], field);
      }
      rows[n++] = out;
    }
    return rows;
  };
}

// An object among results is a failure.
function failure(error) {
  try {
    if (error instanceof WrongResult) return { gave: error.what };
    if (typeof error !== 'object' || error === null) return { threw: typeof error === 'symbol' ? 'a symbol' : Text(error), line: 0 };
    const { name, message, stack } = error;
    if (typeof message !== 'string') return { threw: '' + stringify(error), line: 0 };
    const found = typeof stack === 'string' ? matchOf(/<body>:(\d+)/, stack) : null;
    return { threw: typeof name === 'string' && name !== '' ? name + ': ' + message : message, line: found === null ? 0 : found[1] - 1 };
  } catch {
    return { threw: 'what cannot be shown', line: 0 };
  }
}

return function define(made, text, kinds) {
  if (typeof made !== 'function' || '(' + sourceOf(made) + ')' !== text) throw new SyntaxError('the body ends before its text does');
  const { parameters, result } = parse(kinds);
  freeze(made);
  if (made.prototype) freeze(made.prototype);
  const readers = parameters.map(({ kind, item }) => {
    if (kind !== 'array') return given[kind] ?? given.plain;
    const read = given[item] ?? given.plain;
    return (value) => items(value, read);
  });
  const isPlain = readers.map((read) => read === given.plain);
  const width = readers.length;
  const take = taker(result);
  return (json) => {
    const rows = parse(json);
    const out = [];
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i];
      let value;
      try {
        for (let k = 0; k < width; k++) if (!isPlain[k] && row[k] !== null) row[k] = readers[k](row[k]);
        const result = apply(made, undefined, row);
        value = isNothing(result) ? null : take(result);
      } catch (error) {
        value = failure(error);
      }
      out[i] = value;
    }
    return stringify(out);
  };
};
})()`;
