/** Text and binary of record and void. An anonymous record cannot be read, as in PostgreSQL. */
import type { PgRecord } from '../../datum.ts';
import { SqlError } from '../../errors.ts';
import { OID } from '../../types.ts';
import { outputBinary, outputText, registerIo } from './registry.ts';

function noInput(): SqlError {
  return new SqlError('0A000', 'input of anonymous composite types is not implemented');
}

/** A field needs quotes when it is empty or has blanks, quotes, backslashes, parentheses or commas. Blanks are those of ASCII. */
function quoteField(text: string): string {
  if (text !== '' && !/["\\(), \t\n\v\f\r]/.test(text)) return text;
  return `"${text.replace(/["\\]/g, '$&$&')}"`;
}

registerIo(OID.record, {
  in: () => {
    throw noInput();
  },
  out: (d: PgRecord, ctx) => {
    const fields = d.values.map((v, i) => (v === null ? '' : quoteField(outputText(v, d.types[i], ctx))));
    return `(${fields.join(',')})`;
  },
  recv: () => {
    throw noInput();
  },
  send: (d: PgRecord) => {
    const parts = d.values.map((v, i) => (v === null ? null : outputBinary(v, d.types[i])));
    const out = new Uint8Array(parts.reduce((n, p) => n + 8 + (p?.length ?? 0), 4));
    const view = new DataView(out.buffer);
    view.setInt32(0, parts.length);
    let at = 4;
    parts.forEach((p, i) => {
      view.setUint32(at, d.types[i]);
      view.setInt32(at + 4, p ? p.length : -1);
      at += 8;
      if (p) out.set(p, at);
      at += p?.length ?? 0;
    });
    return out;
  },
});

registerIo(OID.void, {
  in: () => '',
  out: () => '',
  recv: () => '',
  send: () => new Uint8Array(0),
});
