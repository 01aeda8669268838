/**
 * In a server that is measured: how long its main thread's turns of the event loop take, in CPU time (other programs of the machine do not count), and of the longest what
 * ran in it. Loaded by NODE_OPTIONS=--import into the built server, which reads no TypeScript; Linux alone has the CPU time of a thread. SIGUSR2: prints `stall {json}` to standard error and begins anew.
 */
import { readFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { isMainThread } from 'node:worker_threads';

const EVERY_MS = 2;
const SAMPLE_MICROS = 500;
const SHOWN = 6;

/** Nanoseconds on a processor. */
const cpu = () => Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')[0]);
const micros = () => Number(process.hrtime.bigint() / 1000n);

if (isMainThread) {
  const profiled = process.env.STALL_PROFILE === '1';
  const session = new Session();
  session.connect();
  const post = (method, params) => {
    let result = null;
    session.post(method, params, (error, answer) => {
      if (error !== null) throw new Error(error.message);
      result = answer;
    });
    return result;
  };
  if (profiled) {
    post('Profiler.enable');
    post('Profiler.setSamplingInterval', { interval: SAMPLE_MICROS });
  }

  let last = { cpu: cpu(), micros: micros() };
  let longest = { ms: 0, from: 0, to: 0 };
  const look = () => {
    const now = { cpu: cpu(), micros: micros() };
    const ms = (now.cpu - last.cpu) / 1e6;
    if (ms > longest.ms) longest = { ms, from: last.micros, to: now.micros };
    last = now;
  };
  const begin = () => {
    if (profiled) post('Profiler.start');
    last = { cpu: cpu(), micros: micros() };
    longest = { ms: 0, from: 0, to: 0 };
  };
  setInterval(look, EVERY_MS).unref();
  process.on('SIGUSR2', () => {
    look();
    const running = profiled ? whoRan(post('Profiler.stop').profile, longest) : [];
    process.stderr.write(`stall ${JSON.stringify({ ms: longest.ms, running })}\n`);
    begin();
  });
  if (profiled) post('Profiler.start');
}

/** Functions by the share of the turn's samples in which they, or what they called, ran: the innermost of those with as many samples. */
function whoRan({ nodes, samples, timeDeltas, startTime }, { from, to }) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parent = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const inclusive = new Map();
  const self = new Map();
  let at = startTime;
  let all = 0;
  samples.forEach((id, i) => {
    at += timeDeltas[i];
    if (at < from || at > to) return;
    all++;
    const seen = new Set();
    for (let n = id; n !== undefined; n = parent.get(n)) {
      const { functionName, url, lineNumber } = byId.get(n).callFrame;
      const name = `${functionName || '(anonymous)'}:${url.split('/').at(-1)}:${lineNumber + 1}`;
      if (n === id) self.set(name, (self.get(name) ?? 0) + 1);
      if (!seen.has(name)) inclusive.set(name, (inclusive.get(name) ?? 0) + 1);
      seen.add(name);
    }
  });
  const top = (map) =>
    [...map]
      .filter(([name]) => !name.startsWith('(root)'))
      .sort((a, b) => b[1] - a[1])
      .map(([name, n]) => `${Math.round((n / all) * 100)}% ${name}`);
  return { inclusive: top(inclusive).slice(0, SHOWN * 3), self: top(self).slice(0, SHOWN) };
}
