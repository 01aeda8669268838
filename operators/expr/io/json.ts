/**
 * Text and binary of json, jsonb and jsonpath. json keeps its text; a jsonb datum is its canonical text, and so is a jsonpath
 * datum, which is shown a little differently (json/jsonpath/print.ts); in binary both have a version byte 1 in front.
 */
import { SqlError } from '../../errors.ts';
import { OID } from '../../types.ts';
import { registerCompare } from '../compare.ts';
import { compareJsonb } from '../json/compare.ts';
import { parsePath } from '../json/jsonpath/parse.ts';
import { pathDatum, pathText } from '../json/jsonpath/print.ts';
import { parseJson } from '../json/parse.ts';
import { jsonbText, parseJsonb } from '../json/value.ts';
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

const VERSION = 1;

for (const [type, canonical, shown] of [
  ['jsonb', (text: string) => jsonbText(parseJsonb(text)), (d: string) => d],
  ['jsonpath', (text: string) => pathDatum(parsePath(text)), (d: string) => pathText(parsePath(d))],
] as const) {
  registerIo(OID[type], {
    in: canonical,
    out: shown,
    recv: (bytes) => {
      if (bytes.length === 0) throw new SqlError('08P01', 'insufficient data left in message');
      if (bytes[0] !== VERSION) throw new SqlError('XX000', `unsupported ${type} version number ${bytes[0]}`);
      return canonical(textOfUtf8(bytes.subarray(1)));
    },
    send: (d: string) => {
      const text = utf8(shown(d));
      const out = new Uint8Array(text.length + 1);
      out[0] = VERSION;
      out.set(text, 1);
      return out;
    },
  });
}
registerCompare(OID.jsonb, compareJsonb);
