/** The examples of docs/http.md: each `curl` does what it says, and answers what stands below it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Asked, ask, startHttp } from './http_client.ts';

const text = readFileSync(new URL('../../docs/http.md', import.meta.url), 'utf8');

/** The words of a shell's line: blanks part them, quotes hold them together. */
function words(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, plain]) => single ?? double ?? plain);
}

/** A line of curl as a request; other options than these are not in the docs. */
function requestOf(line: string) {
  const [program, ...rest] = words(line);
  assert.equal(program, 'curl', line);
  const request: { path: string; method: string; headers: Record<string, string>; body?: string } = {
    path: '',
    method: 'GET',
    headers: {},
  };
  for (let i = 0; i < rest.length; i++) {
    const word = rest[i];
    if (word === '-s') continue;
    if (word === '-H') {
      const [name, value] = rest[++i].split(': ');
      request.headers[name] = value;
    } else if (word === '-d') {
      request.body = rest[++i];
      request.method = 'POST';
    } else {
      const path = /^http:\/\/127\.0\.0\.1:7480(\/.*)$/.exec(word)?.[1];
      assert.ok(path !== undefined, `${word} in ${line}`);
      request.path = path;
    }
  }
  return request;
}

test('examples of docs/http.md', { timeout: 60_000 }, async () => {
  const server = await startHttp();
  try {
    let last = null as Asked | null;
    let compared = 0;
    for (const [, kind, block] of text.matchAll(/^```(sh|json)\n([\s\S]*?)^```$/gm)) {
      if (kind === 'json') {
        assert.deepEqual(last?.json, JSON.parse(block));
        compared++;
        continue;
      }
      for (const line of block.trim().split('\n')) {
        const { path, ...request } = requestOf(line);
        last = await ask(server, path, request);
      }
    }
    assert.equal(compared, 3);
  } finally {
    await server.close();
  }
});
