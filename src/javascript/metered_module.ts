/**
 * A WebAssembly module with two meters. Each function, each turn of a loop and each copy of bytes takes from a count of steps; each function takes from the room of the stack while it runs.
 * Where the steps do not suffice it asks for more, which whoever runs it gives or throws; where the room does not, it traps.
 *
 *   loop ...            ->  loop  if steps <= 1 { ask(1) }  steps -= 1  ...
 *   memory.copy/fill n  ->  if steps <= n/64 { ask(n/64) }  steps -= n/64  memory.copy/fill n
 *   function body       ->  steps as a loop;  if room < frame { trap }  room -= frame  block { body }  room += frame         frame = 256 + 8 x parameters and variables
 *   return              ->  room += frame  return
 *
 * Every cycle of a program passes a loop or a function's begin, so nothing runs longer than its steps, native code of a library included. WebAssembly's frames lie on the stack of the
 * thread, whose end depends on what calls and on how far code has been optimized; the room is an upper bound of them that depends on neither. So what runs ends in the same place each time.
 *
 * Exported besides: the counts, as STEPS and ROOM, and the module's own global variables, as GLOBAL + their number: with the memory they are all of its state.
 *
 * Cost: some 50 ms for half a megabyte, and a quarter more time for what runs. Traps: of WebAssembly's instructions those of its second version but vectors are known, and functions with
 * at most one result; others are an error here, when the module is loaded. Numbers of functions do not change, so tables and names stay right: ask() is a function that the module imports
 * and has no use for.
 */

export const STEPS = '$steps';
export const ROOM = '$room';
export const GLOBAL = '$global';

const [TYPES, IMPORTS, FUNCTIONS, GLOBALS, EXPORTS, CODE] = [1, 2, 3, 6, 7, 10];
const I32 = 0x7f;
const NO_RESULT = 0x40;
const [LOOP, END, RETURN] = [0x03, 0x0b, 0x0f];
const TRAP = [0x00];
const [MEMORY_COPY, MEMORY_FILL] = [0xfc0a, 0xfc0b];

/** Reads numbers as the format has them. */
class Reader {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  byte(): number {
    return this.bytes[this.at++];
  }

  number(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  }

  /** Passes numbers of any width. */
  skip(count = 1): void {
    for (; count > 0; count--) while (this.byte() >= 0x80);
  }

  /** Passes a list of bytes with its length before it. */
  bytesOf(): void {
    const count = this.number();
    this.at += count;
  }

  text(): string {
    const count = this.number();
    this.at += count;
    return Buffer.from(this.bytes.subarray(this.at - count, this.at)).toString();
  }
}

function written(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 0x80; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return [...bytes, value];
}

function joined(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((n, { length }) => n + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

interface Section {
  id: number;
  start: number;
  end: number;
}

function sectionsOf(bytes: Uint8Array): Section[] {
  const sections: Section[] = [];
  const reader = new Reader(bytes, 8);
  while (reader.at < bytes.length) {
    const id = reader.byte();
    const size = reader.number();
    sections.push({ id, start: reader.at, end: reader.at + size });
    reader.at += size;
  }
  return sections;
}

interface FunctionType {
  parameters: number;
  /** As the type of a block. */
  result: number;
}

/** What the code needs to know of the rest of the module. */
interface Facts {
  signatures: FunctionType[];
  /** Type of each function of the module. */
  types: number[];
  imported: number;
  /** Functions that it imports, by name. */
  functions: string[];
  /** Its own global variables, and whether they can be set. */
  globals: boolean[];
}

function factsOf(bytes: Uint8Array, sections: Section[]): Facts {
  const facts: Facts = { signatures: [], types: [], imported: 0, functions: [], globals: [] };
  for (const { id, start } of sections) {
    const reader = new Reader(bytes, start);
    const count = [TYPES, IMPORTS, FUNCTIONS, GLOBALS].includes(id) ? reader.number() : 0;
    for (let i = 0; i < count; i++) {
      if (id === TYPES) facts.signatures.push(signature(reader));
      else if (id === FUNCTIONS) facts.types.push(reader.number());
      else if (id === IMPORTS) imported(reader, facts);
      else facts.globals.push(global(reader));
    }
  }
  return facts;
}

function signature(reader: Reader): FunctionType {
  if (reader.byte() !== 0x60) throw new Error('a type that is no function');
  const parameters = reader.number();
  reader.at += parameters;
  const results = reader.number();
  if (results > 1) throw new Error('a function with several results');
  return { parameters, result: results === 0 ? NO_RESULT : reader.byte() };
}

function imported(reader: Reader, facts: Facts): void {
  reader.bytesOf();
  const name = reader.text();
  const kind = reader.byte();
  if (kind === 3) facts.imported++;
  if (kind === 0) {
    facts.functions.push(name);
    reader.skip();
  } else if (kind === 3) reader.at += 2;
  else {
    if (kind === 1) reader.at++;
    const hasMost = (reader.byte() & 1) === 1;
    reader.skip(hasMost ? 2 : 1);
  }
}

function global(reader: Reader): boolean {
  reader.at++;
  const canBeSet = reader.byte() === 1;
  while (instruction(reader) !== END);
  return canBeSet;
}

/** Passes an instruction with what belongs to it; gives its number, that of the long ones plus 0xfc00. */
function instruction(reader: Reader): number {
  const op = reader.byte();
  if (op === 0xfc) return longInstruction(reader);
  if (op === 0x0e) reader.skip(reader.number() + 1);
  else if (op === 0x1c) reader.bytesOf();
  else if (op === 0x43) reader.at += 4;
  else if (op === 0x44) reader.at += 8;
  else if (op === 0x11 || (op >= 0x28 && op <= 0x3e)) reader.skip(2);
  else if ((op >= 0x02 && op <= 0x04) || op === 0x0c || op === 0x0d || op === 0x10) reader.skip();
  else if ((op >= 0x20 && op <= 0x26) || (op >= 0x3f && op <= 0x42) || op === 0xd0 || op === 0xd2) reader.skip();
  else if (!(op <= 0x01 || op === 0x05 || op === 0x0b || op === 0x0f || op === 0x1a || op === 0x1b || op === 0xd1))
    if (op < 0x45 || op > 0xc4) throw new Error(`instruction ${op.toString(16)} is not known`);
  return op;
}

function longInstruction(reader: Reader): number {
  const op = reader.number();
  if (op > 17) throw new Error(`instruction fc ${op} is not known`);
  const operands = op < 8 ? 0 : [9, 11, 13, 15, 16, 17].includes(op) ? 1 : 2;
  reader.skip(operands);
  return 0xfc00 + op;
}

/** Numbers of the steps, a global variable before that of the room, and of the function that gives more of them. */
interface Meters {
  first: number;
  ask: number;
}

/** The module with its meters. `ask`: the name of what it imports to ask for steps, a function of one i32 without a result. */
export function metered(bytes: Uint8Array, ask: string): Uint8Array {
  const sections = sectionsOf(bytes);
  const facts = factsOf(bytes, sections);
  const meters: Meters = { first: facts.imported + facts.globals.length, ask: facts.functions.indexOf(ask) };
  const parts = [bytes.subarray(0, 8)];
  for (const section of sections) {
    const body = sectionBody(bytes, section, facts, meters);
    parts.push(Uint8Array.from([section.id, ...written(body.length)]), body);
  }
  return joined(parts);
}

function sectionBody(bytes: Uint8Array, { id, start, end }: Section, facts: Facts, meters: Meters): Uint8Array {
  const reader = new Reader(bytes, start);
  if (id === CODE) return code(reader, facts, meters);
  if (id !== GLOBALS && id !== EXPORTS) return bytes.subarray(start, end);
  const count = reader.number();
  const most = [I32, 1, 0x41, 0xff, 0xff, 0xff, 0xff, 0x07, END];
  const added = id === GLOBALS ? [most, most] : exported(facts, meters.first);
  const first = Uint8Array.from(written(count + added.length));
  return joined([first, bytes.subarray(reader.at, end), Uint8Array.from(added.flat())]);
}

function exported({ globals, imported }: Facts, first: number): number[][] {
  const entry = (name: string, index: number) => [...written(name.length), ...Buffer.from(name), 3, ...written(index)];
  const own = globals.flatMap((canBeSet, i) => (canBeSet ? [entry(`${GLOBAL}${i}`, imported + i)] : []));
  return [...own, entry(STEPS, first), entry(ROOM, first + 1)];
}

function code(reader: Reader, facts: Facts, meters: Meters): Uint8Array {
  const count = reader.number();
  const bodies = [Uint8Array.from(written(count))];
  const step = Uint8Array.from(takeSteps(meters, [0x41, 1]));
  for (let i = 0; i < count; i++) {
    const size = reader.number();
    const body = functionBody(reader, reader.at + size, facts.signatures[facts.types[i]], meters, step);
    bodies.push(Uint8Array.from(written(body.length)), body);
  }
  return joined(bodies);
}

function functionBody(
  reader: Reader,
  end: number,
  { parameters, result }: FunctionType,
  meters: Meters,
  step: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const { bytes } = reader;
  const groups = reader.number();
  const declared = reader.at;
  let locals = parameters;
  for (let g = 0; g < groups; g++) {
    locals += reader.number();
    reader.at++;
  }
  const frame = [0x41, ...signed(256 + 8 * locals)];
  const room = meters.first + 1;
  const back = Uint8Array.from([0x23, ...written(room), ...frame, 0x6a, 0x24, ...written(room)]);
  const copy = Uint8Array.from(takeLength(meters, locals));
  const parts: Uint8Array[] = [
    Uint8Array.from(written(groups + 1)),
    bytes.subarray(declared, reader.at),
    Uint8Array.from([1, I32]),
    step,
    Uint8Array.from([...take(room, frame, TRAP), 0x02, result]),
  ];
  let from = reader.at;
  const insert = (at: number, added: Uint8Array) => {
    parts.push(bytes.subarray(from, at), added);
    from = at;
  };
  while (reader.at < end) {
    const before = reader.at;
    const op = instruction(reader);
    if (op === LOOP) insert(reader.at, step);
    else if (op === RETURN) insert(before, back);
    else if (op === MEMORY_COPY || op === MEMORY_FILL) insert(before, copy);
  }
  // The end of the body ends the block, which is what branches out of the body lead to.
  insert(end, back);
  return joined([...parts, Uint8Array.from([END])]);
}

/** A number of instructions, whose seventh bit is a sign. */
function signed(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 0x40; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return [...bytes, value];
}

/** if meter <= amount { short }; meter -= amount */
function take(meter: number, amount: number[], short: number[]): number[] {
  const at = written(meter);
  const test = [0x23, ...at, ...amount, 0x4d, 0x04, NO_RESULT, ...short, END];
  return [...test, 0x23, ...at, ...amount, 0x6b, 0x24, ...at];
}

function takeSteps({ first, ask }: Meters, amount: number[]): number[] {
  return take(first, amount, [...amount, 0x10, ...written(ask)]);
}

/** A step for each 64 bytes. The length lies on the stack before and after. */
function takeLength(meters: Meters, local: number): number[] {
  const n = written(local);
  return [0x21, ...n, ...takeSteps(meters, [0x20, ...n, 0x41, 6, 0x76]), 0x20, ...n];
}
