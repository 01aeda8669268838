/** aclitem, one granted set of privileges: `grantee=arwd/grantor`, kept as its text. What the catalogs hold of them is made in src/postgres/catalog/acl.ts. */
import { SqlError } from '../../errors.ts';
import { OID } from '../../types.ts';
import { registerIo } from './registry.ts';
import { textOfUtf8, utf8 } from './wire.ts';

const ACLITEM = /^(?:(?:group|user)\s+)?(?:"(?:[^"]|"")*"|\w*)=(?:[arwdDxtXUCTcsAm]\*?)*(?:\/(?:"(?:[^"]|"")*"|\w+))?$/;

registerIo(OID.aclitem, {
  in: (text) => {
    if (!ACLITEM.test(text)) throw new SqlError('22P02', `invalid input syntax for type aclitem: "${text}"`);
    return text;
  },
  out: (d: string) => d,
  recv: textOfUtf8,
  send: (d: string) => utf8(d),
});
