/** The examples as the tests read them: folders, what their READMEs tell to type, and engines over their sources without a broker and without waiting. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseCommand, type ServerOptions } from '../../src/cli/arguments.ts';
import { PgCatalog } from '../../src/postgres/catalog/pg_catalog.ts';
import type { TidemarkEngine } from '../../src/runtime/engine.ts';
import { CounterSource } from '../../src/sources/counter/source.ts';
import { openEngine, sql } from '../engine/harness.ts';
import { MessageSource, type TestMessage } from '../engine/message_source.ts';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** All but the Nexmark suite, which has tests of its own. */
export const EXAMPLES = readdirSync(`${root}examples`, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'nexmark')
  .map(({ name }) => name);

/** 2026-01-01, in seconds after the next. */
const START = 820_540_800;
const POSTGRES_EPOCH = 946_684_800;

/** A moment so many seconds after the test's beginning, as messages say it. */
export const at = (seconds: number): string => new Date((POSTGRES_EPOCH + START + seconds) * 1000).toISOString();

export const read = (file: string): string => readFileSync(`${root}${file}`, 'utf8');

/** Whether the folder has the file. */
export const has = (example: string, file: string): boolean => readdirSync(`${root}examples/${example}`).includes(file);

export interface Readme {
  /** What the server is started with. */
  start: ServerOptions;
  commands: string[];
  sql: string[];
}

/** The commands and SQL blocks of an example's README; a block marked no-run follows changes and has no end. */
export function readme(example: string): Readme {
  const text = read(`examples/${example}/README.md`);
  const blocks = (language: string) =>
    [...text.matchAll(/^```(\S+)\n([\s\S]*?)^```$/gm)].flatMap((m) => (m[1] === language ? [m[2]] : []));
  const commands = blocks('sh').flatMap((block) => block.trim().split('\n'));
  const started = commands.filter((command) => command.startsWith('./bin/tidemark '));
  assert.equal(started.length, 1, `${example}: one server`);
  const command = parseCommand(started[0].split(' ').slice(1));
  assert.ok(command.k === 'start');
  return { start: command.options, commands, sql: blocks('sql') };
}

/** An example's engine with a clock that the test turns. */
export class Example {
  readonly name: string;
  readonly engine: TidemarkEngine;
  readonly #time: { now: number };
  readonly #topics: Map<string, MessageSource>;

  constructor(name: string, engine: TidemarkEngine, time: { now: number }, topics: Map<string, MessageSource>) {
    this.name = name;
    this.engine = engine;
    this.#time = time;
    this.#topics = topics;
  }

  /** Over these files; counters give `tickRows` rows a tick, as fast as they are read. */
  static async open(name: string, files: string[], tickRows = 1000, rows = 0): Promise<Example> {
    const time = { now: 0 };
    const topics = new Map<string, MessageSource>();
    const engine = await openEngine({
      tickRows,
      clock: () => BigInt(Math.round((START + time.now) * 1e6)),
      openSource({ connector, options }) {
        if (connector === 'counter') return new CounterSource({ rowsPerSecond: 0, rows });
        const topic = topics.get(options.topic) ?? new MessageSource();
        topics.set(options.topic, topic);
        return topic;
      },
    });
    engine.system.catalogs = new PgCatalog(engine);
    const example = new Example(name, engine, time, topics);
    for (const file of files) await example.sql(read(file));
    return example;
  }

  static kafka(name: string): Promise<Example> {
    return Example.open(name, [`examples/${name}/kafka.sql`, `examples/${name}/views.sql`]);
  }

  sql(text: string): Promise<(string | null)[][]> {
    return sql(this.engine, text);
  }

  /** One tick at that many seconds after the beginning: messages come, and what the clock moves moves. */
  tick(seconds: number, messages: Record<string, (object | TestMessage)[]> = {}): void {
    this.#time.now = seconds;
    for (const [topic, list] of Object.entries(messages)) {
      const source = this.#topics.get(topic);
      assert.ok(source !== undefined, `nothing reads topic ${topic}`);
      source.send(...list.map((m) => ('value' in m ? (m as TestMessage) : { value: JSON.stringify(m) })));
    }
    this.engine.sourceTicks.pump();
  }

  /** Each materialized view has the rows of its query over the same tick; EMIT ON WINDOW CLOSE: none that the query does not have. Gives how many rows each has. */
  async checkViews(): Promise<Map<string, number>> {
    const counts = new Map<string, number>();
    const views = await this.sql("SELECT relname, pg_get_viewdef(oid) FROM pg_class WHERE relkind = 'm'");
    assert.ok(views.length > 0);
    for (const [name, definition] of views) {
      const query = definition?.replace(/(\s*EMIT ON WINDOW CLOSE)?;\s*$/i, '');
      const [[rows, more, fewer]] = await this.sql(
        `SELECT (SELECT count(*) FROM ${name}), (SELECT count(*) FROM (TABLE ${name} EXCEPT ALL (${query})) a),
           (SELECT count(*) FROM ((${query}) EXCEPT ALL TABLE ${name}) b)`,
      );
      const closes = /EMIT ON WINDOW CLOSE/i.test(definition ?? '');
      assert.deepEqual([more, closes ? '0' : fewer], ['0', '0'], `${this.name}: ${name}`);
      counts.set(name ?? '', Number(rows));
    }
    return counts;
  }

  close(): Promise<void> {
    return this.engine.close();
  }
}
