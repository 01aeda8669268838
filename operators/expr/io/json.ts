/**
 * Text and binary of json, jsonb and jsonpath. json keeps its text; a jsonb datum is its canonical text; in binary jsonb has
 * a version byte 1 in front.
 */
import { SqlError } from '../../errors.ts';
import { OID } from '../../types.ts';
import { registerCompare } from '../compare.ts';
import { parseJson } from '../json/parse.ts';
import { compareJson, jsonbText, parseJsonb } from '../json/value.ts';
import { registerIo } from './registry.ts';
import { textOfUtf8, utf8 } from './wire.ts';

function checkedJson(text: string): string {
  parseJson(text);
  return text;
}

registerIo(OID.json, {
  in: checkedJson,
  out: (d: string) => d,
  recv: (bytes) => checkedJson(textOfUtf8(bytes)),
  send: (d: string) => utf8(d),
});

const JSONB_VERSION = 1;

registerIo(OID.jsonb, {
  in: (text) => jsonbText(parseJsonb(text)),
  out: (d: string) => d,
  recv: (bytes) => {
    if (bytes.length === 0) throw new SqlError('08P01', 'insufficient data left in message');
    if (bytes[0] !== JSONB_VERSION) throw new SqlError('XX000', `unsupported jsonb version number ${bytes[0]}`);
    return jsonbText(parseJsonb(textOfUtf8(bytes.subarray(1))));
  },
  send: (d: string) => {
    const text = utf8(d);
    const out = new Uint8Array(text.length + 1);
    out[0] = JSONB_VERSION;
    out.set(text, 1);
    return out;
  },
});
registerCompare(OID.jsonb, (a: string, b: string) => (a === b ? 0 : compareJson(parseJsonb(a), parseJsonb(b))));
