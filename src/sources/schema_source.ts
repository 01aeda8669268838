/**
 * A source whose records name the schemas that they were written by: a batch is given when all of its schemas are known.
 *
 *   source --batch--> ids known? --yes--> engine
 *                        \--no--> held, asked for at the registry until it answers --> event `schema`, then the batch
 *
 * While a batch is held nothing else is polled, so order stays, nothing is lost or left out, and the source's buffer fills up. `registry` events say why it
 * takes long. What a registry does not have is believed after TRIES times: one of several registries may not know yet what another has just taken.
 * Ranges that are read again have records that were given before, so their schemas are known.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { schemaIdAt } from '../registry/framing.ts';
import type { KnownSchema, Schemas } from '../registry/schemas.ts';
import { Arrivals } from './arrivals.ts';
import type { RawBatch, Source, SourceEvent, StartPosition } from './source.ts';

const TRIES = 4;
/** Questions to the registry at a time. */
const AT_ONCE = 8;
const FIRST_PAUSE_MS = 250;
const GREATEST_PAUSE_MS = 5000;

export interface SchemaSourceOptions {
  /** What an id means; rejects when nobody can be asked. */
  ask(id: number, signal: AbortSignal): Promise<KnownSchema>;
  /** Keys name schemas, too. */
  keys: boolean;
}

export class SchemaSource implements Source {
  readonly schemas: Schemas;
  readonly #source: Source;
  readonly #options: SchemaSourceOptions;
  readonly #arrivals = new Arrivals();
  readonly #closing = new AbortController();
  #held: RawBatch | null = null;
  /** Ids of the held batch that are not known. */
  readonly #wanted = new Set<number>();
  /** Questions that are not answered, and what waits to ask. */
  #asking = 0;
  readonly #waiting: (() => void)[] = [];
  #trouble: string | null = null;

  constructor(source: Source, schemas: Schemas, options: SchemaSourceOptions) {
    this.#source = source;
    this.schemas = schemas;
    this.#options = options;
  }

  poll(): RawBatch | null {
    if (this.#wanted.size > 0) return null;
    const batch = this.#held ?? this.#source.poll();
    this.#held = null;
    if (batch === null) return null;
    this.#want(batch, batch.valueStart, batch.valueEnd);
    if (this.#options.keys) this.#want(batch, batch.keyStart, batch.keyEnd);
    if (this.#wanted.size === 0) return batch;
    this.#held = batch;
    for (const id of this.#wanted) void this.#learn(id);
    return null;
  }

  #want({ n, bytes }: RawBatch, starts: Int32Array, ends: Int32Array): void {
    let last = -1;
    for (let i = 0; i < n; i++) {
      if (starts[i] < 0) continue;
      const id = schemaIdAt(bytes, starts[i], ends[i]);
      if (id === last) continue;
      last = id;
      if (id >= 0 && !this.schemas.has(id)) this.#wanted.add(id);
    }
  }

  async #learn(id: number): Promise<void> {
    const { signal } = this.#closing;
    let pause = FIRST_PAUSE_MS;
    for (let missed = 0; !signal.aborted; pause = Math.min(pause * 2, GREATEST_PAUSE_MS)) {
      try {
        const schema = await this.#ask(id, signal);
        this.#tell(null);
        if (!('missing' in schema) || ++missed === TRIES) {
          this.schemas.add(id, schema);
          this.#wanted.delete(id);
          this.#arrivals.tell({ kind: 'schema', id, schema });
          return;
        }
      } catch (error) {
        if (!signal.aborted) this.#tell((error as Error).message);
      }
      await sleep(pause, undefined, { signal }).catch(() => undefined);
    }
  }

  /** A batch of garbage may name very many ids. */
  async #ask(id: number, signal: AbortSignal): Promise<KnownSchema> {
    while (this.#asking === AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#asking++;
    try {
      return await this.#options.ask(id, signal);
    } finally {
      this.#asking--;
      this.#waiting.shift()?.();
    }
  }

  #tell(trouble: string | null): void {
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    this.#arrivals.tell({ kind: 'registry', message: trouble });
  }

  onReady(callback: () => void): void {
    this.#arrivals.onReady(callback, this.#held !== null && this.#wanted.size === 0);
    // What is held comes first.
    if (this.#held === null) this.#source.onReady(() => this.#arrivals.ready());
  }

  takeEvents(): SourceEvent[] {
    return [...this.#source.takeEvents(), ...this.#arrivals.takeEvents()];
  }

  open(offsets: Map<number, bigint>): void {
    const held = this.#held;
    if (held !== null && offsets.has(held.partition)) {
      held.release?.();
      this.#held = null;
    }
    this.#source.open(offsets);
  }

  get identity(): string | null {
    return this.#source.identity ?? null;
  }

  expect(identity: string): void {
    this.#source.expect?.(identity);
  }

  partitions(): Promise<number[]> {
    return this.#source.partitions();
  }

  startOffsets(start: StartPosition): Promise<Map<number, bigint>> {
    return this.#source.startOffsets(start);
  }

  position(partition: number): bigint | undefined {
    return this.#held?.partition === partition ? this.#held.baseOffset : this.#source.position(partition);
  }

  highWatermark(partition: number): bigint | undefined {
    return this.#source.highWatermark(partition);
  }

  pause(partition: number): void {
    this.#source.pause(partition);
  }

  resume(partition: number): void {
    this.#source.resume(partition);
  }

  bufferedBytes(): number {
    return this.#source.bufferedBytes() + (this.#held?.bytes.length ?? 0);
  }

  readRange(partition: number, from: bigint, to: bigint): AsyncIterable<RawBatch> {
    return this.#source.readRange(partition, from, to);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#arrivals.close();
    this.#held?.release?.();
    this.#held = null;
    await this.#source.close();
  }
}
