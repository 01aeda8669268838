/** The console's page loads, and what its scripts ask for can be had; probes and metrics on the same port; a server with sockets in one thread, and one that starts without HTTP. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { ask, type HttpServerForTest, startHttp } from './http_client.ts';

const options = { timeout: 60_000 };
let server: HttpServerForTest;
const consoleFile = (name: string) => import(new URL(`../../src/http/console/${name}`, import.meta.url).href);
const plainFetch = globalThis.fetch;

before(async () => {
  server = await startHttp();
  const sql = new pg.Client(server.config);
  await sql.connect();
  await sql.query(`CREATE SCHEMA other;
    CREATE TABLE t (a int PRIMARY KEY, b text); INSERT INTO t SELECT g, 'x' || g % 3 FROM generate_series(1, 100) g;
    CREATE STREAM auction (id bigint, date_time timestamp, watermark for date_time as date_time - interval '4 seconds')
      WITH (connector = 'nexmark', table = 'auction', events_per_second = '1000');
    CREATE MATERIALIZED VIEW counts AS SELECT b, count(*) AS n FROM t GROUP BY b;
    CREATE MATERIALIZED VIEW other."<img src=x>" AS SELECT c.b, t.a / (t.a - 7) AS q FROM counts c JOIN t USING (b);
    CREATE MATERIALIZED VIEW auctions AS SELECT count(*) FROM auction;
    CREATE SINK out FROM counts WITH (connector = 'blackhole')`);
  await sql.end();
  // As in the page addresses have no host.
  globalThis.fetch = (path, init) => plainFetch(new URL(String(path), server.base), init);
});
after(async () => {
  globalThis.fetch = plainFetch;
  await server.close();
});

test('the page and all that it loads, and what these load', options, async () => {
  const waiting = ['/'];
  const loaded = new Set<string>();
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (loaded.has(path)) continue;
    loaded.add(path);
    const { status, text, headers } = await ask(server, path);
    assert.equal(status, 200, path);
    const type =
      path === '/'
        ? 'text/html'
        : { css: 'text/css', svg: 'image/svg+xml', mjs: 'text/javascript' }[path.split('.')[1]];
    assert.ok(headers['content-type']?.startsWith(type as string), `${path} is ${headers['content-type']}`);
    for (const [, found] of text.matchAll(/(?:src|href)="(\/[^"]*)"/g)) waiting.push(found);
    for (const [, found] of text.matchAll(/from '\.\/([^']+)'/g)) waiting.push(`/console/${found}`);
  }
  assert.ok(loaded.size >= 13, [...loaded].join(' '));
});

test('relations, drawn from the catalog', options, async () => {
  const { relations, above } = await consoleFile('relations.mjs');
  const { layered } = await consoleFile('layout.mjs');
  const { nodes, edges } = await relations();
  const named = new Map(nodes.map(({ id, name }: { id: string; name: string }) => [id, name]));
  assert.deepEqual(
    edges.map(({ from, to }: { from: string; to: string }) => `${named.get(from)} -> ${named.get(to)}`).sort(),
    ['auction -> auctions', 'counts -> <img src=x>', 'counts -> out', 't -> <img src=x>', 't -> counts'],
  );
  const kinds = nodes.map(({ name, kind }: { name: string; kind: string }) => `${name}: ${kind}`).sort();
  assert.deepEqual(kinds, [
    '<img src=x>: view',
    'auction: stream',
    'auctions: view',
    'counts: view',
    'out: sink',
    't: table',
  ]);
  const odd = nodes.find(({ name }: { name: string }) => name.startsWith('<'));
  assert.equal(odd.bad, true, 'a row has failed');
  assert.equal(above(odd.id, edges).size, 3);
  assert.equal(layered(nodes, edges).boxes.size, 6);
});

/** Elements as objects: what a page would show as text. */
class FakeElement {
  readonly tag: string;
  readonly attributes: Record<string, string> = {};
  children: (FakeElement | string)[] = [];
  scrollLeft = 0;
  static active: FakeElement | null = null;
  constructor(tag: string) {
    this.tag = tag;
  }
  setAttribute(name: string, value: string): void {
    this.attributes[name] = value;
  }
  getAttribute(name: string): string | null {
    return this.attributes[name] ?? null;
  }
  contains(other: FakeElement | null): boolean {
    return this.querySelectorAll('*').some((element) => element === other);
  }
  /** `*`, or tags and classes. */
  querySelectorAll(selector: string): FakeElement[] {
    const wanted = selector.split(', ');
    return this.children.flatMap((child) => {
      if (typeof child !== 'object') return [];
      const names = ['*', child.tag, `.${child.attributes.class}`];
      return [...(names.some((name) => wanted.includes(name)) ? [child] : []), ...child.querySelectorAll(selector)];
    });
  }
  focus(): void {
    FakeElement.active = this;
  }
  addEventListener(): void {
    // Nobody clicks here.
  }
  append(...children: (FakeElement | string)[]): void {
    this.children.push(...children);
  }
  replaceChildren(...children: (FakeElement | string)[]): void {
    this.children = children;
  }
  get text(): string {
    return this.children.map((child) => (typeof child === 'object' ? child.text : String(child))).join('\n');
  }
  find(tag: string): FakeElement[] {
    const inner = this.children.flatMap((child) => (typeof child === 'object' ? child.find(tag) : []));
    return this.tag === tag ? [this, ...inner] : inner;
  }
}

test('each page fills itself', options, async (t) => {
  const fake = {
    createElement: (tag: string) => new FakeElement(tag),
    createElementNS: (_: string, tag: string) => new FakeElement(tag),
    get activeElement() {
      return FakeElement.active;
    },
  };
  Object.assign(globalThis, { document: fake });
  t.after(() => Object.assign(globalThis, { document: undefined }));
  const looked = (await consoleFile('overview.mjs')).overview();
  await looked.refresh();
  const before = looked.element.querySelectorAll('.scroll') as FakeElement[];
  before[1].scrollLeft = 40;
  looked.element.find('a')[2].focus();
  await looked.refresh();
  const after = looked.element.querySelectorAll('.scroll') as FakeElement[];
  assert.deepEqual(
    after.map((region) => [before.includes(region), region.scrollLeft]),
    [0, 40, 0, 0].map((left) => [false, left]),
  );
  assert.equal(looked.element.find('a')[2], FakeElement.active);
  const filled = async (file: string, make: string, ...args: unknown[]): Promise<FakeElement> => {
    const page = (await consoleFile(file))[make](...args);
    await page.refresh();
    return page.element;
  };
  const overview = await filled('overview.mjs', 'overview');
  for (const word of ['auction', 'nexmark', 'running', 'counts', 'other.<img src=x>', 'out', 'memory in use'])
    assert.ok(overview.text.includes(word), word);
  const graph = await filled('graph.mjs', 'graph');
  assert.equal(graph.find('rect').length, 6);
  assert.equal(graph.find('path').length, 5);
  const links = overview.find('a').map(({ attributes }) => attributes.href);
  assert.equal(links.length, 3);
  const texts: string[] = [];
  for (const link of links) {
    const shown = await filled('view.mjs', 'view', /\d+/.exec(link)?.[0]);
    assert.equal(shown.find('p').filter(({ attributes }) => attributes.class === 'error').length, 0, shown.text);
    assert.ok(shown.find('li').length > 1, 'a plan');
    texts.push(shown.text);
  }
  const odd = texts.find((text) => text.startsWith('other.<img'));
  assert.ok(odd?.includes('division by zero'), odd);
  assert.ok(texts.some((text) => text.includes('Late rows of auction')));
  const gone = await filled('view.mjs', 'view', '4000000000');
  assert.match(gone.text, /no such view/);
});

test('probes and metrics', options, async () => {
  const live = await ask(server, '/health/live');
  assert.deepEqual([live.status, live.json], [200, { status: 'live', state: 'ready' }]);
  const ready = await ask(server, '/health/ready');
  assert.deepEqual([ready.status, ready.json.status, ready.json.writable], [200, 'ready', true]);
  assert.deepEqual([ready.json.held, ready.json.stopped], [[], []]);
  const metrics = await ask(server, '/metrics');
  assert.equal(metrics.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  assert.match(metrics.text, /^tidemark_view_rows\{schema="public",view="counts"\} 3$/m);
});

test('sockets in one thread: the same, and nothing is left', options, async () => {
  const one = await startHttp({ threads: 1 });
  const { json } = await ask(one, '/query', {
    method: 'POST',
    headers: { 'Content-Type': 'text/plain' },
    body: 'SELECT 1 AS a',
  });
  assert.deepEqual(json.rows, [[1]]);
  await one.close();
  const without = await startHttp({ http: null });
  assert.equal(without.running.http, null);
  await without.close();
});

test('a port that is taken ends the start', options, async () => {
  await assert.rejects(startHttp({ http: { host: '127.0.0.1', port: server.httpPort } }), { code: 'EADDRINUSE' });
});
