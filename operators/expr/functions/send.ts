/** The send functions: a value's binary wire form as bytea. */

import { OID } from '../../types.ts';
import { hasIo, outputBinary } from '../io/index.ts';
import { registerTyped } from './registry.ts';

const SEND: [string, string, number][] = [
  ['boolsend', 'bool', OID.bool],
  ['int2send', 'int2', OID.int2],
  ['int4send', 'int4', OID.int4],
  ['int8send', 'int8', OID.int8],
  ['float4send', 'float4', OID.float4],
  ['float8send', 'float8', OID.float8],
  ['numeric_send', 'numeric', OID.numeric],
  ['textsend', 'text', OID.text],
  ['varcharsend', 'varchar', OID.varchar],
  ['bpcharsend', 'bpchar', OID.bpchar],
  ['namesend', 'name', OID.name],
  ['charsend', 'char', OID.char],
  ['byteasend', 'bytea', OID.bytea],
  ['oidsend', 'oid', OID.oid],
  ['xidsend', 'xid', OID.xid],
  ['cidsend', 'cid', OID.cid],
  ['regprocsend', 'regproc', OID.regproc],
  ['regclasssend', 'regclass', OID.regclass],
  ['regtypesend', 'regtype', OID.regtype],
  ['record_send', 'record', OID.record],
  ['date_send', 'date', OID.date],
  ['time_send', 'time', OID.time],
  ['timestamp_send', 'timestamp', OID.timestamp],
  ['timestamptz_send', 'timestamptz', OID.timestamptz],
  ['interval_send', 'interval', OID.interval],
  ['uuid_send', 'uuid', OID.uuid],
  ['inet_send', 'inet', OID.inet],
  ['cidr_send', 'cidr', OID.cidr],
  ['macaddr_send', 'macaddr', OID.macaddr],
  ['macaddr8_send', 'macaddr8', OID.macaddr8],
  ['json_send', 'json', OID.json],
  ['jsonb_send', 'jsonb', OID.jsonb],
];

for (const [fn, type, oid] of SEND) {
  if (hasIo(oid)) registerTyped(`${fn}(${type})`, ([d]) => outputBinary(d, oid));
}
