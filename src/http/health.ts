/** What probes are told of a server that runs: which sources wait and which sinks stand, as tidemark.sources and tidemark.sinks show it. */
import type { TidemarkEngine } from '../runtime/engine.ts';
import { sourceStatus } from '../runtime/system_catalog.ts';
import type { Health } from './messages.ts';

export function healthOf(engine: TidemarkEngine): Health {
  const held: Health['held'] = [];
  for (const stream of engine.streams.values()) {
    const partitions = [...stream.partitionPositions().keys()];
    for (const partition of partitions.length === 0 ? [null] : partitions) {
      const status = sourceStatus(engine, stream, partition);
      if (status !== 'running') held.push({ source: stream.relation.name, partition, status });
    }
  }
  const stopped: Health['stopped'] = [];
  for (const [oid, { statistics }] of engine.sinks) {
    const { status, lastError } = statistics;
    if (status === 'running') continue;
    stopped.push({ sink: engine.catalog.get(oid)?.name ?? '', status, error: lastError === '' ? null : lastError });
  }
  return {
    tick: String(engine.loop.tick),
    held,
    stopped,
    writable: engine.journal === null || engine.journal.log.state === 'open',
  };
}
