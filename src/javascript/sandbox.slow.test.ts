/** The sandbox: what runs in it depends on nothing but what it is given, and ends. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { EXPORTED, OutOfStack, OutOfSteps, QUICKJS, Sandbox, Thrown } from './sandbox.ts';

const STEPS = 20_000_000;
const box = new Sandbox();

function define(body: string) {
  const kinds = { parameters: [{ kind: 'plain' }], result: { kind: 'json' } };
  return box.define(`(function (a) { "use strict";\n${body}\n})`, JSON.stringify(kinds));
}

/** Results of a body for some arguments in one run, each as JSON. */
function results(body: string, ...args: unknown[]): unknown[] {
  return JSON.parse(box.run(define(body), JSON.stringify(args.map((arg) => [arg])), STEPS));
}

/** What a run comes to, whatever that is. */
function outcome(run: () => string): string {
  try {
    return run();
  } catch (error) {
    if (error instanceof OutOfSteps || error instanceof OutOfStack) return error.message;
    if (error instanceof Thrown) return `threw ${error.text}`;
    throw error;
  }
}

test('the package calls its exports by the names that are used', () => {
  const loader = readFileSync(createRequire(import.meta.url).resolve(`${QUICKJS}/emscripten-module`), 'utf8');
  for (const [name, short] of Object.entries(EXPORTED))
    assert.match(loader, new RegExp(`c\\.${name}=b\\.${short.replace('$', '\\$')};`), name);
  assert.match(loader, /Z\.v\(\)/);
});

test('values go in and come out', () => {
  assert.deepEqual(results('return a', 1, 'x', null, [1, [2]], { b: 'c' }), ['1', '"x"', null, '[1,[2]]', '{"b":"c"}']);
  assert.deepEqual(results('return undefined', 1), [null]);
  assert.deepEqual(results('return "\\ud800\\u0000é\u{1F600}"', 1), ['"\\ud800\\u0000é\u{1F600}"']);
});

test('what is thrown has a line, and another call goes on', () => {
  const body =
    'if (a === 2)\n  throw new RangeError("two");\nif (a === 3) throw { b: 3 };\nif (a === 4) throw Symbol("s"); return a';
  assert.deepEqual(results(body, 1, 2, 3, 4, 5), [
    '1',
    { threw: 'RangeError: two', line: 2 },
    { threw: '{"b":3}', line: 0 },
    { threw: 'a symbol', line: 0 },
    '5',
  ]);
  const odd = [
    '{ get message() { throw 1 } }',
    'new Proxy({}, { get() { throw 1 }, getPrototypeOf() { throw 1 } })',
    'undefined',
    'null',
    'a',
  ];
  for (const thrown of odd)
    assert.equal(typeof (results(`throw ${thrown}`, 1)[0] as { threw: string }).threw, 'string', thrown);
});

test('a body that is not one function is none', () => {
  for (const body of [
    'return a +',
    '}',
    '}, (n => () => n++)(0), function () {',
    '} + function () {',
    'with (a) {}',
    'a b',
    'return 08',
    '`',
    '/*',
    '})(), (function () {',
    '{',
  ])
    assert.throws(() => define(body), Thrown, body);
  // Those that look as if.
  assert.deepEqual(results("return '}' + `}` + /}/.source // }", 1), ['"}}}"']);
});

/** Each changes something, or looks at what changes, and gives what it sees. */
const LEAKS = [
  'globalThis.n = (globalThis.n ?? 0) + 1; return n',
  'n = 1; return n',
  'this.n = 1; return this.n',
  'return new Function("n = (typeof n === \'undefined\' ? 0 : n) + 1; return n")()',
  'return new Function("this.n = (this.n ?? 0) + 1; return this.n")()',
  'return (0, eval)("var n = typeof n === \'undefined\' ? 1 : n + 1; n")',
  'return (0, eval)("let n = 1; n += 1")',
  'return (0, eval)("function n() { return 1 } n()")',
  'return (0, eval)("globalThis.n ??= 0; ++n")',
  'Array.prototype.n = (Array.prototype.n ?? 0) + 1; return [].n',
  'Object.prototype.n = 1; return a.n',
  'Object.prototype.toString = () => "n"; return String({})',
  'Object.prototype.__defineGetter__("n", () => 1); return a.n',
  'Object.setPrototypeOf(Array.prototype, { n: 1 }); return [].n',
  'Math.abs = () => 7; return Math.abs(-1)',
  'Math.n = (Math.n ?? 0) + 1; return Math.n',
  'JSON.parse = () => 7; return JSON.parse("1")',
  'delete Math.sin; return typeof Math.sin',
  'String.prototype.split.n = (String.prototype.split.n ?? 0) + 1; return "".split.n',
  'const g = (function* () {}).constructor.prototype; g.n = (g.n ?? 0) + 1; return g.n',
  'const g = Object.getPrototypeOf((function* () {}).prototype); g.n = (g.n ?? 0) + 1; return g.n',
  'const p = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())); p.n = (p.n ?? 0) + 1; return p.n',
  'const p = Object.getPrototypeOf([][Symbol.iterator]()); p.next = () => ({ done: true }); return [...[1, 2]]',
  'const p = Object.getPrototypeOf(new Map().entries()); p.n = (p.n ?? 0) + 1; return p.n',
  'const p = Object.getPrototypeOf("a".matchAll(/a/g)); p.n = (p.n ?? 0) + 1; return p.n',
  'const p = Object.getPrototypeOf([].values().map((x) => x)); p.n = (p.n ?? 0) + 1; return p.n',
  'const p = Object.getPrototypeOf(Iterator.concat([1])); p.n = (p.n ?? 0) + 1; return p.n',
  'const p = Object.getPrototypeOf(Iterator.from({ next() {} })); p.n = (p.n ?? 0) + 1; return p.n',
  'const p = Object.getPrototypeOf(async function () {}); p.n = (p.n ?? 0) + 1; return p.n',
  'const p = Object.getPrototypeOf((async function* () {})()); p.n = (p.n ?? 0) + 1; return p.n',
  'const t = Object.getOwnPropertyDescriptor(arguments, "callee").get; t.n = (t.n ?? 0) + 1; return t.n',
  'return ((s) => { s.n = (s.n ?? 0) + 1; return s.n })`x`',
  'return ((s) => { s.raw.n = (s.raw.n ?? 0) + 1; return s.raw.n })`x`',
  'const r = /a/g; r.test("aa"); return r.lastIndex',
  'RegExp.prototype.lastIndex = 5; return /a/g.lastIndex',
  '/(b)/.exec("abc"); return [RegExp.$1, RegExp.lastMatch]',
  'const f = arguments.callee; f.n = (f.n ?? 0) + 1; return f.n',
  'return (function () { return arguments.callee.caller })()',
  'return new Function("return arguments.callee.caller")()',
  'return new Function("return arguments.callee.caller.caller")()',
  'Error.stackTraceLimit = (Error.stackTraceLimit ?? 10) + 1; return new Error("x").stack',
  'Error.prepareStackTrace = (e, frames) => frames; return new Error("x").stack.length',
  'Error.prototype.name = "n"; return String(new Error("x"))',
  'const e = new Error("x"); e.name = "mine"; e.message = "y"; return [String(e), String(new Error("z"))]',
  'class E extends Error { constructor() { super("x"); this.name = "E" } } return String(new E())',
  'Symbol.n = 1; return Symbol.for("n") === Symbol.for("n") && Symbol.keyFor(Symbol.for("n"))',
  'Promise.resolve().then(() => { globalThis.n = 1 }); return typeof n',
  'return typeof WeakRef + typeof FinalizationRegistry + typeof Atomics + typeof SharedArrayBuffer + typeof performance',
  'new Proxy(Array.prototype, {}).n = 1; return [].n',
  'Reflect.defineProperty(Array.prototype, 0, { value: 7 }); return [,][0]',
  'Object.defineProperty(globalThis, "undefined", { value: 1 }); return undefined',
  'return Reflect.set(Object.prototype, "toString", 7, Object.prototype)',
  'Object.getOwnPropertyDescriptor(Object.prototype, "toString").set.call(Array.prototype, 7); return [].toString()',
  'Object.getOwnPropertyDescriptor(Object.prototype, "toString").set.n = 1; return 1',
  'Date.now = () => 1; return Date.now()',
  'Date.prototype.n = 1; return new Date(0).n',
  'return new Date(0).constructor.now()',
  'return Date()',
  'return new Date()',
  'return Reflect.construct(Date, [])',
  'return new (class extends Date {})()',
  'return Date.now()',
  'return Math.random()',
  'return new Date(2024, 0, 31).toString() + new Date("2024-07-01T00:00").getTimezoneOffset() + Date.UTC(2024) + Date.parse("2024-01-01")',
  'return import("x")',
  'Uint8Array.prototype.n = 1; Object.getPrototypeOf(Uint8Array.prototype).n = 1; return new Uint8Array(1).n',
  'Map.prototype.get = () => 7; return new Map([[1, 2]]).get(1)',
  'Function.prototype.call = () => 7; return [1].map.call([1], (x) => x)',
  'Function.prototype.apply = () => 7; Reflect.apply = () => 7; return 1',
  'const o = {}; o.toString = () => "o"; o.constructor = 1; o.valueOf = () => 3; return [String(o), o.constructor, Object.keys(o)]',
  'return Object.getOwnPropertyNames(globalThis).filter((k) => { const d = Object.getOwnPropertyDescriptor(globalThis, k); return d.configurable || d.writable })',
  'return [new Error("x").stack, (() => { try { null.x } catch (e) { return e.message } })()]',
  'let d = 0; const f = () => { d++; f() }; try { f() } catch (e) { return [d, e.name] }',
  'let s = "x"; try { for (;;) s += s } catch (e) { return [s.length, e.message] }',
  'const l = []; try { for (;;) l.push(new Array(1000).fill(l.length)) } catch (e) { return [l.length, e.message] }',
  'let c = null; for (let i = 0; i < 1000; i++) { const o = { c, b: new Array(100).fill(i) }; o.o = o; c = i % 100 === 0 ? null : o } return 1',
];

test('a call sees nothing of the calls before it: in a run, and in the runs before', () => {
  const images = LEAKS.map(define);
  const rows = (n: number) => JSON.stringify(Array.from({ length: n }, () => [{ n: null }]));
  const alone = images.map((image) => outcome(() => box.run(image, rows(1), STEPS)));
  const steps = images.map((image) => {
    outcome(() => box.run(image, rows(1), STEPS));
    return box.stepsLeft;
  });
  for (let i = images.length - 1; i >= 0; i--) {
    assert.equal(
      outcome(() => box.run(images[i], rows(1), STEPS)),
      alone[i],
      LEAKS[i],
    );
    // Not even how much work it was.
    assert.equal(box.stepsLeft, steps[i], LEAKS[i]);
    const [first] = alone[i].startsWith('[') ? JSON.parse(alone[i]) : [alone[i]];
    const text = outcome(() => box.run(images[i], rows(3), STEPS));
    if (text.startsWith('[') && !box.grew) assert.deepEqual(JSON.parse(text), [first, first, first], LEAKS[i]);
  }
});

test('whatever syntax and built-in functions make has prototypes that nobody can change', () => {
  const body = `const makers = [
    () => [].entries(), () => new Map().keys(), () => new Set().values(), () => 'x'.matchAll(/x/g), () => 'a'[Symbol.iterator](), () => new Uint8Array(1).values(),
    () => Object.getPrototypeOf((function* () {})()), () => Object.getPrototypeOf((async function* () {})()), () => async function () {}, () => (async () => {})(), () => class {}, () => (class { #x = 1 }),
    () => [1].values().map((x) => x), () => [1].values().take(1), () => [1].values().drop(0), () => [1].values().flatMap((x) => [x]), () => [1].values().filter((x) => x),
    () => Iterator.from({ next() {} }), () => Iterator.from([1].values()), () => Iterator.concat([1]), () => Iterator.zip([[1]]), () => Iterator.zipKeyed({ a: [1] }),
    () => Promise.resolve(), () => Promise.withResolvers(), () => Promise.all([]), () => new Proxy(function () {}, {}), () => (function () {}).bind(), () => Object(1n), () => Object(Symbol()),
    () => new DOMException('x'), () => new Error('x', { cause: 1 }), () => new AggregateError([]), () => Object.groupBy([1], (x) => x), () => Map.groupBy([1], (x) => x),
    () => /a/d.exec('a').indices, () => /(?<x>a)/.exec('a'), () => new Float16Array(1), () => new DataView(new ArrayBuffer(1)), () => (s) => s, () => ((s) => s)\`x\`, () => arguments,
    () => Object.getOwnPropertyDescriptor(Object.prototype, '__proto__').get, () => Function.prototype, () => Reflect, () => new Function(), () => eval('[]'), () => new Date(0), () => Symbol.iterator,
  ];
  const bad = [];
  for (const maker of makers) {
    let p;
    try {
      p = Object.getPrototypeOf(maker());
    } catch (error) {
      bad.push(maker + ': ' + error.message);
    }
    for (; p; p = Object.getPrototypeOf(p)) if (!Object.isFrozen(p)) bad.push(String(maker));
  }
  return bad;`;
  assert.deepEqual(results(body, 1), ['[]']);
  // Functions that make what the list does not know would have to be looked at.
  const names = JSON.parse(
    results(
      'return Object.getOwnPropertyNames(globalThis).concat(Object.getOwnPropertyNames(Iterator))',
      1,
    )[0] as string,
  );
  assert.equal(names.length, 66, names.join());
});

test('clock and chance are not there, and times are in UTC', () => {
  for (const body of ['return Date.now()', 'return new Date()', 'return Date()', 'return Math.random()'])
    assert.match((results(body, 1)[0] as { threw: string }).threw, /^TypeError: .* is not there/, body);
  const body =
    'const d = new Date(2024, 5, 30, 12); return [d, d.getTimezoneOffset(), new Date("2024-01-01T00:00").toString(), d.constructor === Date, d instanceof Date, Date.name]';
  const expected = ['2024-06-30T12:00:00.000Z', 0, 'Mon Jan 01 2024 00:00:00 GMT+0000', true, true, 'Date'];
  assert.deepEqual(JSON.parse(results(body, 1)[0] as string), expected);
});

test('what does not end is ended, in native code too', () => {
  const endless = [
    'for (;;);',
    'for (;;) try { for (;;); } catch {}',
    'try { for (;;); } finally { return 1 }',
    'return /(a+)+$/.test("a".repeat(40) + "b")',
    'return Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)',
    'for (;;) "x".repeat(1e6)',
    'for (;;) new Array(1e5).fill(0).sort()',
    'return JSON.stringify(new Array(1e6).fill(0).map(() => new Array(1e6)))',
    'const p = new Proxy({}, { get: (_, k) => 1, has: () => true }); for (const x of { [Symbol.iterator]: () => ({ next: () => ({ value: p }) }) }) p[x];',
    'return 2n ** 100000000n % 7n',
    'return { toJSON() { for (;;); } }',
    'const f = () => f; return (function g() { g(); g() })()',
  ];
  for (const body of endless) {
    const text = outcome(() => box.run(define(body), '[[1]]', STEPS));
    assert.match(text, /out of steps|out of stack|"threw"/, body);
  }
});

test('recursion ends before the stack of the thread does, whatever recurses', () => {
  const deep = [
    'const f = () => 1 + f(); return f()',
    'const f = () => [1].map(() => f()); return f()',
    'const f = () => "a".replace(/a/, () => f()); return f()',
    'const f = () => [2, 1].sort(() => f()); return f()',
    'const o = { get a() { return this.a } }; return o.a',
    'class A { toString() { return String(this) } } return String(new A())',
    'return JSON.parse("[".repeat(1e5))',
    'let x = []; for (let i = 0; i < 5e4; i++) x = [x]; return JSON.stringify(x).length',
    'let x = []; for (let i = 0; i < 5e4; i++) x = [x]; return x',
    'let x = []; for (let i = 0; i < 5e4; i++) x = [x]; return String(x)',
    'let x = []; for (let i = 0; i < 5e4; i++) x = [x]; return x.flat(Infinity)',
    'return eval("(".repeat(1e5))',
    'return eval("!".repeat(1e5) + 1)',
    'return eval("[".repeat(1e5))',
    'return new RegExp("(?:".repeat(1e5)).source',
    'let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); return p.x',
    'let f = () => 1; for (let i = 0; i < 1e5; i++) f = f.bind(null); return f()',
  ];
  for (const body of deep) {
    const text = outcome(() => box.run(define(body), '[[1]]', STEPS));
    assert.match(text, /out of stack|out of steps|"threw"|^\[/, body);
    assert.equal(
      outcome(() => box.run(define(body), '[[1]]', STEPS)),
      text,
      body,
    );
  }
});

test('memory has a limit, and is as before after it', () => {
  assert.deepEqual(results('return new ArrayBuffer(6e7).byteLength', 1), [
    { threw: 'InternalError: out of memory', line: 1 },
  ]);
  assert.deepEqual(results('return new ArrayBuffer(3e7).byteLength', 1), ['30000000']);
  assert.equal(box.grew, true);
  assert.deepEqual(results('return 1', 1), ['1']);
  assert.equal(box.grew, false);
});

test('hundreds of functions are some tens of kilobytes each', () => {
  const images = Array.from({ length: 200 }, (_, i) => define(`const o = { a, i: ${i} }; return o.i + ${i}`));
  const bytes = images.flatMap(({ parts }) => parts.map((part) => part.bytes.length)).reduce((a, b) => a + b);
  assert.ok(bytes < 200 * 100_000, `${bytes} bytes`);
  images.forEach((image, i) => {
    assert.equal(box.run(image, '[[0]]', STEPS), `["${2 * i}"]`);
  });
});
