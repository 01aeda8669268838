/**
 * A message to columns: Avro and Protobuf by the generated readers, the same rows as JSON by the scan kernel, and what avsc and protobufjs make objects of. CPU nanoseconds a message, in turn in
 * one process; medians of the runs. Messages lie in the shared memory, where the I/O thread puts those of Kafka.
 */
import avro from 'avsc';
import protobuf from 'protobufjs';
import '../operators/expr/functions/index.ts';
import { Arena } from '../operators/batch/arena.ts';
import { BatchBuilder } from '../operators/batch/builder.ts';
import { BYTES } from '../operators/batch/memory.ts';
import { type ColType, colType, OID } from '../operators/types.ts';
import { avroDecoder } from '../src/formats/avro/index.ts';
import type { Decoder, DecoderSpec } from '../src/formats/format.ts';
import { jsonDecoder } from '../src/formats/json/index.ts';
import { exactProtobufDecoder, protobufDecoder } from '../src/formats/protobuf/index.ts';
import type { ProtobufOptions } from '../src/formats/protobuf/options.ts';
import { Schemas } from '../src/registry/schemas.ts';
import { type RawBatch, ZEROS_BEHIND } from '../src/sources/source.ts';
import { median, Table } from './table.ts';

const MESSAGES = 4096;
const ROUNDS = 20;
const WARM_RUNS = 5;

const COLUMNS: [name: string, schema: avro.Schema, type: ColType][] = [
  ['auction', 'long', colType(OID.int8)],
  ['bidder', 'long', colType(OID.int8)],
  ['price', 'long', colType(OID.int8)],
  ['channel', 'string', colType(OID.text)],
  ['url', ['null', 'string'], colType(OID.text)],
  ['date_time', { type: 'long', logicalType: 'timestamp-millis' }, colType(OID.timestamp)],
  ['extra', 'string', colType(OID.text)],
];

const PROTO = `syntax = "proto3";
  message Bid {
    int64 auction = 1;
    int64 bidder = 2;
    int64 price = 3;
    string channel = 4;
    optional string url = 5;
    int64 date_time = 6;
    string extra = 7;
  }`;

export function avroBench({ runs, json }: { runs: number; json: boolean }): void {
  const schema = {
    type: 'record',
    name: 'Bid',
    fields: COLUMNS.map(([name, type]) => ({ name, type })),
  } as avro.Schema;
  const type = avro.Type.forSchema(schema);
  const values = Array.from({ length: MESSAGES }, (_, i) => ({
    auction: 1000 + i,
    bidder: 1000 + ((i * 7) % 500),
    price: 100 + i * 31,
    channel: ['Google', 'Baidu', 'Apple', 'channel-77'][i % 4],
    url: i % 10 === 0 ? null : `https://www.nexmark.com/item.htm?query=1&channel_id=${i}`,
    date_time: 1_767_225_600_000 + i,
    extra: 'x'.repeat(i % 40),
  }));
  const columns = COLUMNS.map(([name, , of]) => ({
    name,
    type: of,
    notNull: false,
    origin: { k: 'field' as const, name },
  }));
  const spec: DecoderSpec = { columns, needed: columns.map((_, i) => i) };
  const schemas = new Schemas();
  schemas.add(1, { texts: [JSON.stringify(schema)] });
  const messages = new Arena();
  const raw = rawOf(
    values.map((value) => Buffer.concat([Buffer.from([0, 0, 0, 0, 1]), type.toBuffer(value)])),
    messages,
  );
  const asJson = rawOf(
    values.map((value) => Buffer.from(JSON.stringify(value))),
    messages,
  );
  const bid = protobuf.parse(PROTO, { keepCase: true }).root.lookupType('Bid');
  const asProtobuf = rawOf(
    values.map((value) => Buffer.concat([Buffer.from([0, 0, 0, 0, 2, 0]), bid.encode(value).finish()])),
    messages,
  );
  schemas.add(2, { texts: [PROTO] });
  const form: ProtobufOptions = { registry: null, schema: null, message: null, key: 'protobuf' };
  const protobufColumns = protobufDecoder(spec, form, schemas);
  const protobufExact = exactProtobufDecoder(spec, form, schemas);
  const avroColumns = avroDecoder(spec, { registry: null, schema: null, key: 'avro' }, schemas);
  const jsonColumns = jsonDecoder(spec);
  const arena = new Arena();
  const ways = [
    ['avsc fromBuffer', () => objects(type, raw)],
    ['Avro to columns', () => decode(avroColumns, spec, raw, arena)],
    ['JSON to columns', () => decode(jsonColumns, spec, asJson, arena)],
    ['protobufjs decode', () => protobufObjects(bid, asProtobuf)],
    ['Protobuf to columns', () => decode(protobufColumns, spec, asProtobuf, arena)],
    ['Protobuf, value by value', () => decode(protobufExact, spec, asProtobuf, arena)],
  ] as const;
  const measured = ways.map(() => [] as number[]);
  for (let run = 0; run < runs + WARM_RUNS; run++) {
    ways.forEach(([, way], i) => {
      const start = process.cpuUsage();
      for (let round = 0; round < ROUNDS; round++) way();
      const { user, system } = process.cpuUsage(start);
      if (run >= WARM_RUNS) measured[i].push(((user + system) * 1000) / (MESSAGES * ROUNDS));
    });
  }
  const table = new Table(json);
  ways.forEach(([name], i) => {
    const ns = median(measured[i]);
    table.add({ reader: name, nanosecondsPerMessage: ns, ratioToAvsc: ns / median(measured[0]) });
  });
}

function objects(type: avro.Type, { bytes, n, valueStart, valueEnd }: RawBatch): void {
  for (let i = 0; i < n; i++) type.fromBuffer(bytes.subarray(valueStart[i] + 5, valueEnd[i]));
}

function protobufObjects(type: protobuf.Type, { bytes, n, valueStart, valueEnd }: RawBatch): void {
  for (let i = 0; i < n; i++) type.decode(bytes.subarray(valueStart[i] + 6, valueEnd[i]));
}

function decode(decoder: Decoder, { columns }: DecoderSpec, raw: RawBatch, arena: Arena): void {
  arena.reset();
  const types = columns.map((c) => c.type);
  const out = new BatchBuilder(types, arena, raw.n);
  const bad = decoder.decode(raw, 0, raw.n, out, 0n);
  if (bad.length > 0 || out.n !== raw.n) throw new Error(`${out.n} of ${raw.n} messages were read`);
}

function rawOf(parts: Buffer[], arena: Arena): RawBatch {
  const all = Buffer.concat(parts);
  const address = arena.alloc(all.length + ZEROS_BEHIND);
  BYTES.fill(0, address, address + all.length + ZEROS_BEHIND);
  all.copy(BYTES, address);
  let at = 0;
  const valueStart = new Int32Array(parts.length);
  const valueEnd = new Int32Array(parts.length);
  parts.forEach(({ length }, i) => {
    valueStart[i] = at;
    at += length;
    valueEnd[i] = at;
  });
  return {
    partition: 0,
    baseOffset: 0n,
    nextOffset: BigInt(parts.length),
    n: parts.length,
    bytes: BYTES.subarray(address, address + all.length),
    address,
    keyStart: new Int32Array(parts.length).fill(-1),
    keyEnd: new Int32Array(parts.length),
    valueStart,
    valueEnd,
    offset: Float64Array.from(parts, (_, i) => i),
    timestamp: new Float64Array(parts.length),
    headers: () => [],
  };
}
