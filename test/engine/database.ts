/** A table in a database that changes at random, and what a Debezium connector for PostgreSQL writes of it. */

interface Row {
  a: number;
  b: string;
  /** Hundredths. */
  n: number | null;
  /** Microseconds since 1970. */
  at: number | null;
  body: string;
}

type Event = { op: string; before: object | null; after: object | null };

const EPOCH = Date.UTC(2024, 0, 1) * 1000;

/** The event with its schema beside it; `meanings`: types of fields by name. */
export function changeEvent(event: Event, meanings: Record<string, object>): object {
  const fields = Object.keys(event.after ?? event.before ?? {}).map((field) => ({
    field,
    optional: true,
    ...(meanings[field] ?? { type: 'string' }),
  }));
  const image = (field: string) => ({ field, type: 'struct', optional: true, fields });
  return {
    schema: { type: 'struct', fields: [image('before'), image('after'), { field: 'op', type: 'string' }] },
    payload: { ...event, source: { lsn: 1 }, ts_ms: 1 },
  };
}

const MEANINGS = {
  a: { type: 'int32' },
  n: { type: 'bytes', name: 'org.apache.kafka.connect.data.Decimal', parameters: { scale: '2' } },
  at: { type: 'int64', name: 'io.debezium.time.MicroTimestamp' },
};

export class Database {
  readonly messages: (string | null)[] = [];
  readonly #random: (n: number) => number;
  readonly #rows = new Map<string, Row>();
  #step = 0;

  constructor(random: (n: number) => number) {
    this.#random = random;
  }

  /** One statement of one row. */
  change(): void {
    const random = this.#random;
    const key = { a: random(3), b: 'xyz'[random(3)] };
    const old = this.#rows.get(nameOf(key));
    if (old === undefined) this.#make(key, this.#step === 0 ? 'r' : 'c');
    else if (random(3) === 0) this.#delete(old);
    else this.#update(old);
    this.#step++;
  }

  #values() {
    const random = this.#random;
    return {
      n: random(4) === 0 ? null : random(100_000) - 50_000,
      at: random(4) === 0 ? null : EPOCH + random(1_000_000_000),
    };
  }

  #make(key: { a: number; b: string }, op: string): void {
    const row = { ...key, ...this.#values(), body: `body ${this.#step} ${'.'.repeat(this.#random(40))}` };
    this.#rows.set(nameOf(row), row);
    this.#tell({ op, before: null, after: row });
  }

  #delete(old: Row): void {
    this.#rows.delete(nameOf(old));
    this.#tell({ op: 'd', before: { a: old.a, b: old.b, n: null, at: null, body: null }, after: null });
    this.messages.push(null);
  }

  #update(old: Row): void {
    const random = this.#random;
    const row = { ...old, ...this.#values() };
    const free = random(4) === 0 ? { ...row, b: 'xyz'[random(3)] } : row;
    if (!this.#rows.has(nameOf(free))) {
      // The old row's key comes with the change.
      this.#rows.delete(nameOf(old));
      this.#rows.set(nameOf(free), free);
      this.#tell({ op: 'u', before: random(2) === 0 ? old : { a: old.a, b: old.b }, after: free });
      return;
    }
    const changesBody = random(2) === 0;
    if (changesBody) row.body = `changed ${this.#step}`;
    this.#rows.set(nameOf(row), row);
    const after = changesBody ? row : { ...row, body: '__debezium_unavailable_value' };
    this.#tell({ op: 'u', before: random(2) === 0 ? null : old, after });
  }

  /** As JsonConverter writes it, with and without schemas. */
  #tell({
    op,
    before,
    after,
  }: {
    op: string;
    before: Partial<{ [k in keyof Row]: unknown }> | null;
    after: typeof before;
  }): void {
    const withSchema = this.#random(2) === 0;
    const image = (row: typeof before) =>
      row === null ? null : { ...row, n: numberOf((row.n ?? null) as number | null, withSchema) };
    const event = { op, before: image(before), after: image(after) };
    this.messages.push(JSON.stringify(withSchema ? changeEvent(event, MEANINGS) : { ...event, source: {} }));
  }

  /** As SELECT * ... ORDER BY a, b shows them. */
  rows(): (string | null)[][] {
    const rows = [...this.#rows.values()].sort((x, y) => x.a - y.a || (x.b < y.b ? -1 : 1));
    return rows.map(({ a, b, n, at, body }) => [
      String(a),
      b,
      numberOf(n, false),
      at === null ? null : timestampOf(at),
      body,
    ]);
  }
}

function nameOf({ a, b }: { a: number; b: string }): string {
  return `${a} ${b}`;
}

/** Hundredths as text, or as the base64 of their two's complement. */
function numberOf(n: number | null, packed: boolean): string | null {
  if (n === null) return null;
  if (!packed) return (n / 100).toFixed(2);
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(n);
  return bytes.toString('base64');
}

function timestampOf(micros: number): string {
  const seconds = new Date(Math.floor(micros / 1000)).toISOString().slice(0, 19).replace('T', ' ');
  const fraction = String(micros % 1_000_000)
    .padStart(6, '0')
    .replace(/0+$/, '');
  return fraction === '' ? seconds : `${seconds}.${fraction}`;
}
