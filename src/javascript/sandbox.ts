/**
 * QuickJS in WebAssembly as a function of texts: a state of it that was kept once is put back before each run, so a run knows nothing of those before it.
 *
 *   module (metered_module.ts) -> instance -> realm (realm.ts) = the base image
 *   define: base image -> reads a body -> what differs now = the function's image
 *   run:    both images -> rows as JSON in, results as JSON out
 *
 * The state of an instance is its memory and its global variables; an image has the parts of memory that mean something: static data and heap. What lies in between is the stack, and what
 * lies behind the heap is free: both are written before they are read.
 *
 * A run has a number of steps and a limit of memory, both counted and not measured, so it ends in the same way each time. Memory that had to grow says that a run was near it (`grew`).
 * Steps are handed out in slices, and between two of them the statement that the run is for may end (operators/turn.ts): what a run leaves is of no interest to the next, however it ended.
 *
 * Cost: 10 microseconds for the images; a first use some 60 ms, for the package is loaded then. Everything is synchronous, since a call stands in the midst of a tick.
 *
 * Traps: the package's module has short names for what it exports, EXPORTED, which its test compares with the package's own loader. WebAssembly runs on the thread's own stack, so STACK
 * must be small enough that what is on it here ends first.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { turn } from '../../operators/turn.ts';
import { GLOBAL, metered, ROOM, STEPS } from './metered_module.ts';
import { REALM } from './realm.ts';

const require = createRequire(import.meta.url);

export const QUICKJS = '@jitl/quickjs-ng-wasmfile-release-sync';

/** Names of the package's loader, and of its module. */
export const EXPORTED = {
  _malloc: 'w',
  _QTS_RuntimeSetMemoryLimit: 'z',
  _QTS_RuntimeSetMaxStackSize: 'E',
  _QTS_GetUndefined: 'F',
  _QTS_NewRuntime: 'L',
  _QTS_NewContext: 'O',
  _QTS_NewString: '$',
  _QTS_GetString: 'aa',
  _QTS_Call: 'na',
  _QTS_ResolveException: 'oa',
  _QTS_Dump: 'pa',
  _QTS_Eval: 'qa',
} as const;

const PAGE = 65536;
/** What the module asks for at least, most of it for its stack, and what it may have. */
const FIRST_PAGES = 256;
const MOST_PAGES = 1280;
/** Bytes that a body may have. */
const MEMORY = 48 << 20;
/** More than there can be. What asks for bytes that are not there finds out at the end of memory, which is seen (`grew`), and not at a limit, which is not. */
const NO_LIMIT = 0x7fffffff;
/** Bytes of the stack that a body may take, and what is reserved for it between static data and heap. */
const STACK = 96 << 10;
const STACK_BYTES = 5 << 20;
/** Bytes of this thread's stack that a run may take. The meter says at least 1.8 times of what is taken, so that is 600 KB of the 980 that Node has. */
const ROOM_BYTES = 1100 << 10;
/** What one function may have asked for in vain. */
const LARGEST_FRAME = 16 << 10;
/** Steps between two looks, some 3 ms. */
const SLICE = 1_000_000;
/** By which the module asks for steps: it imports it to end the process, and nothing here does that. */
const ASK = 's';
/** Steps for the realm, and to read a body. */
const SETUP_STEPS = 200_000_000;
/** Images differ in parts of so many bytes. */
const PART = 1024;
const NOTHING = new Uint8Array(PART);

interface Part {
  at: number;
  bytes: Uint8Array;
}

/** A state: the parts of memory in which it differs from the one under it, and the global variables. */
export interface Image {
  parts: Part[];
  globals: number[];
  /** What runs in it. */
  run: number;
}

interface Instance {
  memory: WebAssembly.Memory<false>;
  exports: Record<string, (...args: number[]) => number>;
  variables: WebAssembly.Global[];
  /** Of the present slice, and those after it. */
  steps: WebAssembly.Global;
  later: number;
  room: WebAssembly.Global;
  /** Memory did not suffice, and was made larger. */
  grew: boolean;
}

/** A run that took all of its steps. */
export class OutOfSteps extends Error {}
/** A run that called too deep, in native code where the body could not catch it; or the thread's stack was short of what is counted on, which nothing here is known to come to. */
export class OutOfStack extends Error {}

/** What JavaScript threw; `text` is as JSON, of an Error its name, message and stack. */
export class Thrown extends Error {
  readonly text: string;

  constructor(text: string) {
    super(text);
    this.text = text;
  }
}

export class Sandbox {
  #instance: Instance;
  readonly #module: WebAssembly.Module;
  readonly #runtime: number;
  readonly #context: number;
  readonly #base: Image;
  readonly #top: number;

  constructor() {
    const file = readFileSync(require.resolve(`${QUICKJS}/wasm`));
    this.#module = new WebAssembly.Module(metered(file, ASK));
    this.#instance = instantiate(this.#module);
    give(this.#instance, SETUP_STEPS);
    // The stack grows down from here, and the heap begins here.
    this.#top = this.#instance.variables[0].value;
    this.#runtime = this.#call('_QTS_NewRuntime');
    this.#call('_QTS_RuntimeSetMaxStackSize', this.#runtime, STACK);
    this.#call('_QTS_RuntimeSetMemoryLimit', this.#runtime, MEMORY);
    this.#context = this.#call('_QTS_NewContext', this.#runtime, 0);
    const define = this.#evaluate(REALM, '<realm>');
    this.#base = this.#image([], define);
  }

  get grew(): boolean {
    return this.#instance.grew;
  }

  /** Reads a function. `kinds` as realm.ts takes them. Throws Thrown where the text is no function. */
  define(text: string, kinds: string): Image {
    return this.#guarded(SETUP_STEPS, () => {
      // The end of the heap is found by what lies behind it.
      this.#bytes().fill(0, this.#top);
      this.#restore(this.#base);
      const made = this.#evaluate(text, '<body>');
      const run = this.#apply(this.#base.run, [made, this.#string(text), this.#string(kinds)]);
      // An image fits into an instance that is new.
      if (this.#instance.grew) throw new Thrown('"the body is too long"');
      return this.#image(this.#base.parts, run);
    });
  }

  /**
   * Throws OutOfSteps, OutOfStack, and Thrown where memory did not suffice. `isOne`: of one call. How much is left to each of several hangs on the others, and a body may catch that it
   * is too little; so what they give counts only where memory did not grow.
   */
  run(image: Image, json: string, steps: number, isOne = true): string {
    return this.#guarded(steps, () => {
      this.#restore(this.#base);
      this.#restore(image);
      if (!isOne) this.#call('_QTS_RuntimeSetMemoryLimit', this.#runtime, NO_LIMIT);
      return this.#textOf(this.#apply(image.run, [this.#string(json)]));
    });
  }

  /** Steps that the last run left. */
  get stepsLeft(): number {
    return this.#instance.steps.value + this.#instance.later;
  }

  #guarded<T>(steps: number, work: () => T): T {
    // What has grown says nothing of the next run.
    if (this.#instance.grew) this.#instance = instantiate(this.#module);
    const meters = this.#instance;
    give(meters, steps);
    meters.room.value = ROOM_BYTES;
    try {
      return work();
    } catch (error) {
      if (error instanceof RangeError) throw new OutOfStack('out of stack');
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      if (meters.room.value < LARGEST_FRAME) throw new OutOfStack('out of stack');
      throw new Thrown(JSON.stringify(`the sandbox stopped: ${error.message}`));
    }
  }

  #call(name: keyof typeof EXPORTED, ...args: number[]): number {
    return this.#instance.exports[EXPORTED[name]](...args);
  }

  #bytes(): Uint8Array {
    return new Uint8Array(this.#instance.memory.buffer);
  }

  /** Address of the text, which ends with a zero. */
  #put(text: string): { at: number; length: number } {
    const bytes = Buffer.from(text, 'utf8');
    const at = this.#call('_malloc', bytes.length + 1);
    if (at === 0) throw new Thrown('"out of memory"');
    const memory = this.#bytes();
    memory.set(bytes, at);
    memory[at + bytes.length] = 0;
    return { at, length: bytes.length };
  }

  #string(text: string): number {
    return this.#value(this.#call('_QTS_NewString', this.#context, this.#put(text).at));
  }

  /** A value, unless it stands for an exception. */
  #value(value: number): number {
    const error = this.#call('_QTS_ResolveException', this.#context, value);
    if (error === 0) return value;
    throw new Thrown(this.#read(this.#call('_QTS_Dump', this.#context, error)));
  }

  #evaluate(text: string, file: string): number {
    const { at, length } = this.#put(text);
    return this.#value(this.#call('_QTS_Eval', this.#context, at, length, this.#put(file).at, 0, 0));
  }

  #apply(f: number, args: number[]): number {
    const list = this.#call('_malloc', 4 * args.length);
    if (list === 0) throw new Thrown('"out of memory"');
    new Int32Array(this.#instance.memory.buffer).set(args, list >> 2);
    const nothing = this.#call('_QTS_GetUndefined');
    return this.#value(this.#call('_QTS_Call', this.#context, f, nothing, args.length, list));
  }

  #textOf(value: number): string {
    return this.#read(this.#call('_QTS_GetString', this.#context, value));
  }

  #read(at: number): string {
    if (at === 0) throw new Thrown('"out of memory"');
    const memory = this.#bytes();
    return Buffer.from(memory.buffer, at, memory.indexOf(0, at) - at).toString('utf8');
  }

  /** The present state over that of `under`. */
  #image(under: Part[], run: number): Image {
    const memory = this.#bytes();
    let end = memory.length;
    while (Buffer.compare(memory.subarray(end - PART, end), NOTHING) === 0) end -= PART;
    const ranges = [
      [0, this.#top - STACK_BYTES],
      [this.#top, end],
    ];
    const globals = this.#instance.variables.map(({ value }) => value as number);
    if (under.length === 0)
      return { parts: ranges.map(([from, to]) => ({ at: from, bytes: memory.slice(from, to) })), globals, run };
    const parts: Part[] = [];
    for (const [from, to] of ranges) {
      const old = under.find(({ at }) => at === from)!.bytes;
      for (let at = from; at < to; at += PART) {
        const now = memory.subarray(at, Math.min(at + PART, to));
        if (Buffer.compare(now, old.subarray(at - from, at - from + now.length)) === 0) continue;
        const last = parts.at(-1);
        if (last !== undefined && last.at + last.bytes.length === at) last.bytes = Buffer.concat([last.bytes, now]);
        else parts.push({ at, bytes: now.slice() });
      }
    }
    return { parts, globals, run };
  }

  #restore({ parts, globals }: Image): void {
    const memory = this.#bytes();
    for (const { at, bytes } of parts) memory.set(bytes, at);
    globals.forEach((value, i) => {
      this.#instance.variables[i].value = value;
    });
  }
}

function give(instance: Instance, steps: number): void {
  instance.steps.value = 0;
  instance.later = steps;
}

function instantiate(module: WebAssembly.Module): Instance {
  const memory = new WebAssembly.Memory({ initial: FIRST_PAGES, maximum: MOST_PAGES, shared: false });
  const words = () => new Int32Array(memory.buffer);
  const absent = () => {
    throw new WebAssembly.RuntimeError('it asked for what is not there');
  };
  const imports: Record<string, unknown> = { a: memory };
  for (const { name, kind } of WebAssembly.Module.imports(module)) if (kind === 'function') imports[name] = absent;
  Object.assign(imports, {
    // Two answers of no environment: its variables, their sizes.
    e: () => 0,
    f: (count: number, size: number) => {
      words()[count >> 2] = words()[size >> 2] = 0;
      return 0;
    },
    // The clock stands still.
    p: () => 0,
    q: (_clock: number, _precision: bigint, result: number) => {
      new BigInt64Array(memory.buffer)[result >> 3] = 0n;
      return 0;
    },
    // The parts of a time in the zone of the place, which is UTC: QuickJS looks at the offset only.
    m: (_seconds: bigint, result: number) => void words().fill(0, result >> 2, (result >> 2) + 10),
    n: (offset: number, hasSummer: number) => {
      words()[offset >> 2] = words()[hasSummer >> 2] = 0;
    },
    k: (size: number) => {
      instance.grew = true;
      const have = memory.buffer.byteLength;
      const wanted = Math.min(Math.ceil(Math.max(size, have * 1.2) / PAGE), MOST_PAGES);
      if (size > MOST_PAGES * PAGE) return 0;
      memory.grow(wanted - have / PAGE);
      return 1;
    },
    [ASK]: (wanted: number) => {
      const left = instance.steps.value + instance.later;
      if (left <= wanted) throw new OutOfSteps('out of steps');
      turn.look();
      instance.steps.value = Math.min(left, Math.max(wanted + 1, SLICE));
      instance.later = left - instance.steps.value;
    },
  });
  const instance: Instance = {
    memory,
    exports: {},
    variables: [],
    steps: null as never,
    later: 0,
    room: null as never,
    grew: false,
  };
  const exports = new WebAssembly.Instance(module, { a: imports }).exports;
  const globals = Object.entries(exports).filter(([name]) => name.startsWith(GLOBAL));
  instance.exports = exports as Instance['exports'];
  instance.variables = globals.map(([, value]) => value as WebAssembly.Global);
  instance.steps = exports[STEPS] as WebAssembly.Global;
  instance.room = exports[ROOM] as WebAssembly.Global;
  (exports.v as () => void)();
  return instance;
}
