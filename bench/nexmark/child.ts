/**
 * One measurement in a process of its own: child.ts QUERY WAY EVENTS TICK prints one JSON object.
 *
 * | way       | what is measured                                                                                   |
 * |-----------|-----------------------------------------------------------------------------------------------------|
 * | blackhole | JSON bytes to a sink that counts and drops; and JSON.parse of the same messages, chunk by chunk in turn |
 * | view      | likewise, to a materialized view                                                                     |
 * | columns   | decoded columns, whose texts lie behind one another as Arrow's do, to the blackhole: the operators  |
 * | hand      | decoded objects through the hand-written program                                                     |
 * | d2ts, db-ivm | the same through the graph of another incremental library (../peers)                              |
 *
 * The messages that the query reads first run and do not count (Feed). What makes the input is not measured, nor what it leaves behind: threads that compile its code and collect its garbage have
 * ended before a measurement begins (settled()), and of columns so many ticks are made ahead that few of them find the code of operators out of the caches
 * (docs/decisions/0611).
 */
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { Arena } from '../../operators/batch/arena.ts';
import { type NexmarkTable, rowsBefore } from '../../src/sources/nexmark/numbering.ts';
import { PROGRAMS } from '../hand_written/index.ts';
import { PEERS, type PeerName, peerProgram } from '../peers/index.ts';
import { quantile } from '../table.ts';
import { ColumnEngine, type End, MessageEngine } from './engine.ts';
import { Chunk } from './input.ts';

/** Peers' cost of an event grows without bound in some queries, or what they keep does: they end when they had this many seconds of CPU or have so much of the heap. */
const PEER_SECONDS = 10;
const PEER_HEAP_BYTES = 2 * 1024 ** 3;

export type Way = End | 'columns' | 'hand' | PeerName;

export interface Measured {
  /** Messages of the streams that the query reads. */
  events: number;
  cpu: number;
  wall: number;
  /** CPU seconds of JSON.parse for the same messages; 0 where it is not measured. */
  parseCpu: number;
  tickP50Ms: number;
  tickP99Ms: number;
  stateRows: number;
  stateBytes: number;
  peakRssBytes: number;
}

/**
 * What was made for the measurement leaves the young generation, so that collections within the measurement do not copy it; what is dead goes. Not a full
 * collection: forced ones drop optimized code, and the few milliseconds that follow would measure the compiler (decision 0171).
 */
function promote(): void {
  for (let i = 0; i < 2; i++) globalThis.gc?.({ type: 'minor' });
}

/** Where many ticks are run, one of so many is timed: reading the clock for each is two hundredths of a tick of eight messages. */
const TIMED = 16;
const FEW_TICKS = 50;

const REST_MS = 2;
const MOST_RESTS = 100;
const IDLE_MICROSECONDS = 300;

/** Waits until the other threads of the process have done what is left to them: the CPU time that is measured is that of all threads. */
async function settled(): Promise<void> {
  for (let rests = 0; rests < MOST_RESTS; rests++) {
    const before = process.cpuUsage();
    await sleep(REST_MS);
    const { user, system } = process.cpuUsage(before);
    if (user + system < IDLE_MICROSECONDS) return;
  }
}

/** Collects young garbage, then runs the work; adds up CPU (all threads of the process) and wall seconds. */
class Meter {
  cpu = 0;
  wall = 0;
  readonly ticks: number[] = [];

  async run(work: (() => void)[]): Promise<void> {
    promote();
    await settled();
    const cpu = process.cpuUsage();
    const start = performance.now();
    const step = work.length > FEW_TICKS ? TIMED : 1;
    for (let i = 0; i < work.length; i++) {
      if (i % step === 0) this.#timed(work[i]);
      else work[i]();
    }
    const used = process.cpuUsage(cpu);
    this.cpu += (used.user + used.system) / 1e6;
    this.wall += (performance.now() - start) / 1000;
  }

  #timed(work: () => void): void {
    const start = performance.now();
    work();
    this.ticks.push(performance.now() - start);
  }
}

/** What a way does with a chunk: the work to measure, and what to do after it. */
interface Step {
  work: (() => void)[];
  done?(): void;
}

const isFull = (): boolean => process.memoryUsage().heapUsed > PEER_HEAP_BYTES;

const isPeer = (way: Way): way is PeerName => way in PEERS;

/** How a way is fed. */
interface Feed {
  /** Events that are made at once. */
  chunk: number;
  /** What runs before the measurement: so many messages, and so many ticks or so much state. */
  warmUp: { messages: number; ticks: number };
}

/** Of columns, made at once: so few that they are in the processor's last cache, as what was decoded just now is, and so many that the operators' code is not a part of the time. */
const COLUMN_MESSAGES = 200_000;
/** A function is compiled for good when it was called so often, and much of a tick is called once. */
const WARM_UP_TICKS = 2_000;
const WARM_UP_STATE_BYTES = 128 << 20;

function feedOf(way: Way, tables: NexmarkTable[], tick: number): Feed {
  // Both libraries are faster over objects that were made just now: db-ivm takes 64 ns an event of q2 in chunks of five ticks, 35 in such of one.
  if (isPeer(way)) return { chunk: tick, warmUp: { messages: 20_000, ticks: 0 } };
  if (way !== 'columns') return { chunk: 50_000, warmUp: { messages: 100_000, ticks: 0 } };
  const share = tables.reduce((sum, table) => sum + rowsBefore(table, 10_000) / 10_000, 0);
  return {
    chunk: Math.ceil(COLUMN_MESSAGES / share / tick) * tick,
    warmUp: { messages: 100_000, ticks: WARM_UP_TICKS },
  };
}

async function steps(query: string, way: Way, tick: number) {
  if (way !== 'blackhole' && way !== 'view') {
    const engine = await ColumnEngine.open(query);
    const program = isPeer(way) ? peerProgram(way, query) : PROGRAMS.get(query)?.();
    if (program === undefined) throw new Error(`there is no hand-written ${query}`);
    const columns = (chunk: Chunk): Step => {
      const arena = new Arena();
      const ticks = chunk.rawTicks(tick).map((raw) => engine.decode(raw, arena));
      return { work: ticks.map((t) => () => engine.tick(t)), done: () => arena.release() };
    };
    const objects = (chunk: Chunk): Step => ({
      work: chunk.objectTicks(tick).map((events) => () => program.tick(events)),
    });
    return { engine, step: way === 'columns' ? columns : objects };
  }
  const engine = await MessageEngine.open(query, way);
  return {
    engine,
    step: (chunk: Chunk): Step => ({ work: chunk.rawTicks(tick).map((raw) => engine.prepared(raw)) }),
  };
}

async function measure(query: string, way: Way, events: number, tick: number): Promise<Measured> {
  const { engine, step } = await steps(query, way, tick);
  const tables = engine.tables();
  const { chunk: length, warmUp } = feedOf(way, tables, tick);
  const parse = way === 'blackhole' || way === 'view';
  let own = new Meter();
  let json = new Meter();
  let counted = 0;
  const isWarm = (from: number) =>
    counted >= warmUp.messages && (from >= warmUp.ticks * tick || engine.state().bytes > WARM_UP_STATE_BYTES);
  /** Where the measurement began; null while messages do not count. */
  let begin: number | null = null;
  for (let from = 0; begin === null || from < begin + events; from += length) {
    if (isPeer(way) && begin !== null && (own.cpu > PEER_SECONDS || isFull())) break;
    if (begin === null && isWarm(from)) {
      begin = from;
      own = new Meter();
      json = new Meter();
      counted = 0;
    }
    const chunk = new Chunk(tables, from, begin === null ? from + length : Math.min(from + length, begin + events));
    counted += chunk.count;
    if (parse) await json.run([() => chunk.parseAll()]);
    const { work, done } = step(chunk);
    await own.run(work);
    done?.();
    chunk.release();
    // Sinks and timers get their turn.
    await turn();
  }
  const state = engine.state();
  return {
    events: counted,
    cpu: own.cpu,
    wall: own.wall,
    parseCpu: json.cpu,
    tickP50Ms: quantile(own.ticks, 0.5),
    tickP99Ms: quantile(own.ticks, 0.99),
    stateRows: state.rows,
    stateBytes: state.bytes,
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
  };
}

const [query, way, events, tick] = process.argv.slice(2);
console.log(JSON.stringify(await measure(query, way as Way, Number(events), Number(tick))));
process.exit(0);
