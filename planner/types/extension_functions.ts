/**
 * Extensions that CREATE EXTENSION knows, and their functions, declared as pg_proc would list them. The functions are part of the program; a call finds them only where the extension is in
 * the catalog (function_candidates.ts). To each extension belongs a namespace that no schema has, so that nothing else finds them. OIDs lie in the range that PostgreSQL leaves to others (8000-9999).
 */
import { OID } from '../../operators/types.ts';
import type { PgProc } from './catalog.ts';

export interface Extension {
  name: string;
  /** The only one there is. */
  version: string;
  comment: string;
  /** Of its functions, in place of their schema. */
  namespace: number;
  functions: PgProc[];
}

type Signature = [name: string, volatility: PgProc['volatility'], args: [name: string, type: number][], result: number];

/** All of them strict. */
function functionsOf(firstOid: number, namespace: number, signatures: Signature[]): PgProc[] {
  return signatures.map(([name, volatility, args, result], i) => ({
    oid: firstOid + i,
    name,
    namespace,
    kind: 'f',
    strict: true,
    retset: false,
    volatility,
    result,
    args: args.map(([, type]) => type),
    variadic: 0,
    defaults: [],
    allArgs: null,
    argModes: null,
    argNames: args.some(([arg]) => arg !== '') ? args.map(([arg]) => arg) : null,
  }));
}

const constant = (name: string): Signature => [name, 'i', [], OID.uuid];
const made = (name: string): Signature => [name, 'v', [], OID.uuid];
const named = (name: string): Signature => [
  name,
  'i',
  [
    ['namespace', OID.uuid],
    ['name', OID.text],
  ],
  OID.uuid,
];

const bytes = (name: string, ...args: number[]): Signature => [name, 'i', args.map((type) => ['', type]), OID.bytea];

const UUID_NAMESPACE = 9600;
const PGCRYPTO_NAMESPACE = 9650;

export const EXTENSIONS: Extension[] = [
  {
    name: 'pgcrypto',
    version: '1.3',
    comment: 'cryptographic functions',
    namespace: PGCRYPTO_NAMESPACE,
    functions: functionsOf(PGCRYPTO_NAMESPACE + 1, PGCRYPTO_NAMESPACE, [
      bytes('digest', OID.text, OID.text),
      bytes('digest', OID.bytea, OID.text),
      bytes('hmac', OID.text, OID.text, OID.text),
      bytes('hmac', OID.bytea, OID.bytea, OID.text),
      ['gen_random_bytes', 'v', [['', OID.int4]], OID.bytea],
      // PostgreSQL's own goes first where no schema is named.
      made('gen_random_uuid'),
    ]),
  },
  {
    name: 'uuid-ossp',
    version: '1.1',
    comment: 'generate universally unique identifiers (UUIDs)',
    namespace: UUID_NAMESPACE,
    functions: functionsOf(UUID_NAMESPACE + 1, UUID_NAMESPACE, [
      constant('uuid_nil'),
      constant('uuid_ns_dns'),
      constant('uuid_ns_url'),
      constant('uuid_ns_oid'),
      constant('uuid_ns_x500'),
      made('uuid_generate_v1'),
      made('uuid_generate_v1mc'),
      named('uuid_generate_v3'),
      made('uuid_generate_v4'),
      named('uuid_generate_v5'),
    ]),
  },
];

export const EXTENSION_FUNCTIONS: PgProc[] = EXTENSIONS.flatMap(({ functions }) => functions);

export function extensionNamed(name: string): Extension | undefined {
  return EXTENSIONS.find((extension) => extension.name === name);
}

/** The extension that a function is of; undefined: it is of none. */
export function extensionOf({ namespace }: PgProc): Extension | undefined {
  return EXTENSIONS.find((extension) => extension.namespace === namespace);
}
