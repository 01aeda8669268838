/**
 * Text and binary of the object identifier types. Names are resolved, and shown, by the server: the context's catalog answers
 * `regclassin(text)` and `regclassout(oid)`, named as in pg_proc. Without a session numbers are taken and shown as they are.
 */
import { SqlError } from '../../errors.ts';
import { OID } from '../../types.ts';
import { parseUint32, uint32Binary } from './integer.ts';
import { registerIo } from './registry.ts';

const REG_TYPES = {
  regproc: OID.regproc,
  regprocedure: OID.regprocedure,
  regoper: OID.regoper,
  regoperator: OID.regoperator,
  regclass: OID.regclass,
  regtype: OID.regtype,
  regnamespace: OID.regnamespace,
  regrole: OID.regrole,
  regconfig: OID.regconfig,
  regcollation: OID.regcollation,
} as const;

for (const [type, oid] of Object.entries(REG_TYPES)) {
  registerIo(oid, {
    in: (text, ctx) => {
      if (text === '-') return 0;
      if (/^\d+$/.test(text)) return parseUint32(text.replace(/^0+(?=\d)/, ''), 'oid');
      if (!ctx.session) throw new SqlError('0A000', `a name of type ${type} cannot be resolved without a session`);
      return ctx.session.catalog(`${type}in`, [text]);
    },
    out: (d: number, ctx) => {
      // regoper shows 0 as 0, the others as a dash.
      if (d === 0) return type === 'regoper' || type === 'regoperator' ? '0' : '-';
      const name = ctx.session?.catalog(`${type}out`, [d]);
      return typeof name === 'string' ? name : String(d);
    },
    ...uint32Binary,
  });
}
