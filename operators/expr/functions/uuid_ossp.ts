/** Functions of the extension uuid-ossp. Versions 3 and 5 are hashes of a name; 1 is a time and a node, which is the machine's in v1 and made up at random in v1mc. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { uuidBytes, uuidOfBytes } from '../io/uuid.ts';
import { register } from './registry.ts';

/** RFC 9562, section 6.6. */
const CONSTANTS = {
  uuid_nil: '00000000-0000-0000-0000-000000000000',
  uuid_ns_dns: '6ba7b810-9dad-11d1-80b4-00c04fd430c8',
  uuid_ns_url: '6ba7b811-9dad-11d1-80b4-00c04fd430c8',
  uuid_ns_oid: '6ba7b812-9dad-11d1-80b4-00c04fd430c8',
  uuid_ns_x500: '6ba7b814-9dad-11d1-80b4-00c04fd430c8',
};
for (const [name, value] of Object.entries(CONSTANTS)) register(`${name}()`, () => value);

register('uuid_generate_v4()', () => randomUUID());

function marked(bytes: Uint8Array, version: number): string {
  bytes[6] = (bytes[6] & 0x0f) | (version << 4);
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return uuidOfBytes(bytes.subarray(0, 16));
}

function ofName(version: number, hash: string, namespace: string, name: string): string {
  return marked(createHash(hash).update(uuidBytes(namespace)).update(name, 'utf8').digest(), version);
}
register('uuid_generate_v3(uuid,text)', (namespace: string, name: string) => ofName(3, 'md5', namespace, name));
register('uuid_generate_v5(uuid,text)', (namespace: string, name: string) => ofName(5, 'sha1', namespace, name));

/** 100 ns steps from 1582-10-15 to 1970. */
const GREGORIAN_DIFF = 122_192_928_000_000_000n;
let lastTicks = 0n;
let clockSequence: number | null = null;
let machine: Uint8Array | null = null;

/** An address at random says so by its multicast bit. */
function randomNode(): Uint8Array {
  const node = randomBytes(6);
  node[0] |= 0x01;
  return node;
}

function machineNode(): Uint8Array {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const mac = all.find((address) => !address.internal && address.mac !== '00:00:00:00:00:00')?.mac;
  return mac === undefined ? randomNode() : Buffer.from(mac.replaceAll(':', ''), 'hex');
}

function ofTime(node: Uint8Array): string {
  const now = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 10n + GREGORIAN_DIFF;
  // Another clock sequence would tell of a clock that was set back; that no two are equal is what is needed.
  lastTicks = now > lastTicks ? now : lastTicks + 1n;
  clockSequence ??= randomBytes(2).readUInt16BE();
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Number(lastTicks & 0xffffffffn));
  view.setUint16(4, Number((lastTicks >> 32n) & 0xffffn));
  view.setUint16(6, Number((lastTicks >> 48n) & 0x0fffn));
  view.setUint16(8, clockSequence);
  bytes.set(node, 10);
  return marked(bytes, 1);
}
register('uuid_generate_v1()', () => {
  machine ??= machineNode();
  return ofTime(machine);
});
register('uuid_generate_v1mc()', () => ofTime(randomNode()));
