/**
 * A schema registry over HTTP, as Confluent's: what a schema id means. One answer a call; who asks keeps it and tries again.
 *
 *   GET /schemas/ids/7                        { schema, schemaType, references }      404 with error_code 40403: there is no such schema
 *   GET /subjects/NAME/versions/3             the same of each reference, first
 *   POST /subjects/NAME/versions              { id }
 *
 * Addresses are asked in turn, the one that answered last first. Any answer but these two is a failure: a proxy's 404 says nothing of schemas.
 */
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { SqlError } from '../../operators/errors.ts';
import type { RegistryOptions } from './options.ts';
import type { KnownSchema } from './schemas.ts';

const TIMEOUT_MS = 10_000;
const MOST_BYTES = 16 << 20;
const MOST_REFERENCES = 1000;
/** Characters of a subject. */
const MOST_NAME = 1000;
/** Error codes: subject, version, schema not found. */
const NOT_FOUND = [40401, 40402, 40403];

interface Answer {
  status: number;
  body: unknown;
}

interface Registered {
  schema: string;
  /** Some registries write null for what is not said. */
  schemaType?: string | null;
  references?: Reference[] | null;
}

interface Reference {
  subject: string;
  version: number;
}

/** What was found on the way through references. */
interface Walk {
  seen: Set<string>;
  /** Characters of these. */
  length: number;
}

/** What gives schemas ids. */
export type Registrar = Pick<SchemaRegistry, 'register'>;

/** As registries name them. */
export type SchemaType = 'AVRO' | 'PROTOBUF';

const SHOWN: Record<SchemaType, string> = { AVRO: 'Avro', PROTOBUF: 'Protobuf' };

export class SchemaRegistry {
  readonly #options: RegistryOptions;
  /** Of the schemas that are asked for and put in. */
  readonly #type: SchemaType;
  /** Which address is asked first. */
  #first = 0;

  constructor(options: RegistryOptions, type: SchemaType) {
    this.#options = options;
    this.#type = type;
  }

  /** Throws SqlError when nobody answers as a registry does: 08001, 28P01 for a login that is refused. */
  async schema(id: number, signal: AbortSignal): Promise<KnownSchema> {
    const registered = await this.#get(`/schemas/ids/${id}`, signal);
    if (registered === null) return { missing: `the schema registry has no schema ${id}` };
    const schemaType = registered.schemaType ?? 'AVRO';
    if (schemaType !== this.#type) {
      return { missing: `schema ${id} of the registry is of type ${schemaType}, not ${SHOWN[this.#type]}` };
    }
    const texts: string[] = [];
    const missing = await this.#references(registered, texts, { seen: new Set(), length: 0 }, signal);
    if (missing !== null) return { missing: `schema ${id} of the registry: ${missing}` };
    return { texts: [...texts, registered.schema] };
  }

  /** Throws as schema() does. */
  async check(signal: AbortSignal): Promise<void> {
    await this.#get('/subjects/tidemark-is-there/versions/1', signal);
  }

  /** Puts a schema in, if it is not there; gives its id. Throws as schema() does, and 22023 for a schema that the registry does not take. */
  async register(subject: string, schema: string): Promise<number> {
    const path = `/subjects/${encodeURIComponent(subject)}/versions`;
    return this.#each(async (url) => {
      // Without a type it is Avro, which is all that old registries know.
      const named = this.#type === 'AVRO' ? { schema } : { schemaType: this.#type, schema };
      const { status, body } = await this.#ask(url + path, new AbortController().signal, JSON.stringify(named));
      const { id, message } = (body ?? {}) as { id?: unknown; message?: unknown };
      if (status === 200 && Number.isInteger(id)) return id as number;
      if (status === 409 || status === 422) {
        throw new SqlError('22023', `the schema registry does not take the schema of "${subject}": ${message}`);
      }
      refuseLogin(status, url);
      throw noAnswer(status, url);
    });
  }

  /** Puts what it refers to into `texts`, first what is referred to first; gives what is not there. */
  async #references(
    { references }: Registered,
    texts: string[],
    walk: Walk,
    signal: AbortSignal,
  ): Promise<string | null> {
    for (const { subject, version } of references ?? []) {
      const path = `/subjects/${encodeURIComponent(subject)}/versions/${encodeURIComponent(version)}`;
      const { seen } = walk;
      if (seen.has(path)) continue;
      if (seen.size === MOST_REFERENCES) return `it has more than ${MOST_REFERENCES} references`;
      seen.add(path);
      const registered = await this.#get(path, signal);
      if (registered === null) return `version ${version} of "${subject}", which it refers to, is not there`;
      walk.length += registered.schema.length;
      if (walk.length > MOST_BYTES) return `its references have more than ${MOST_BYTES} characters`;
      const missing = await this.#references(registered, texts, walk, signal);
      if (missing !== null) return missing;
      texts.push(registered.schema);
    }
    return null;
  }

  /** Null: the registry says that it is not there. */
  #get(path: string, signal: AbortSignal): Promise<Registered | null> {
    return this.#each(async (url) => read(await this.#ask(url + path, signal), url));
  }

  /** What the first address gives that answers. */
  async #each<T>(ask: (url: string) => Promise<T>): Promise<T> {
    const { urls } = this.#options;
    let failure: unknown = null;
    for (let i = 0; i < urls.length; i++) {
      const which = (this.#first + i) % urls.length;
      const url = urls[which];
      try {
        const answer = await ask(url);
        this.#first = which;
        return answer;
      } catch (error) {
        failure ??= error instanceof SqlError ? error : failed(url, wordsOf(error as NodeJS.ErrnoException));
      }
    }
    throw failure;
  }

  /** `post`: what is sent, as JSON. */
  #ask(url: string, signal: AbortSignal, post?: string): Promise<Answer> {
    const { auth, tls } = this.#options;
    const isTls = url.startsWith('https:');
    const accept = 'application/vnd.schemaregistry.v1+json, application/json';
    return new Promise((resolve, reject) => {
      const headers = {
        accept,
        ...(post === undefined ? {} : { 'content-type': 'application/vnd.schemaregistry.v1+json' }),
      };
      const options = {
        method: post === undefined ? 'GET' : 'POST',
        headers,
        signal,
        ...(auth === null ? {} : { auth }),
        ...(isTls ? tls : {}),
      };
      const asked = (isTls ? requestHttps : requestHttp)(url, options, (response) => {
        const chunks: Buffer[] = [];
        let length = 0;
        response.on('data', (chunk: Buffer) => {
          chunks.push(chunk);
          length += chunk.length;
          if (length > MOST_BYTES) asked.destroy(new Error(`its answer has more than ${MOST_BYTES} bytes`));
        });
        response.on('error', fail);
        response.on('end', () => {
          clearTimeout(timer);
          resolve({ status: response.statusCode ?? 0, body: jsonOf(Buffer.concat(chunks).toString('utf8')) });
        });
      });
      const fail = (error: Error) => {
        clearTimeout(timer);
        reject(error);
      };
      const late = () => asked.destroy(new Error(`no answer in ${TIMEOUT_MS / 1000} s`));
      const timer = setTimeout(late, TIMEOUT_MS);
      asked.on('error', fail);
      // Also an answer of another protocol, which is no answer to Node.
      asked.on('close', () => fail(new Error('the connection was closed')));
      asked.end(post);
    });
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function read({ status, body }: Answer, url: string): Registered | null {
  refuseLogin(status, url);
  const { schema, error_code: code, ...rest } = (body ?? {}) as { schema?: unknown; error_code?: unknown };
  if (status === 200 && typeof schema === 'string' && isWhole(rest)) return body as Registered;
  if (status === 404 && NOT_FOUND.includes(code as number)) return null;
  throw noAnswer(status, url);
}

function isWhole({ schemaType, references }: { schemaType?: unknown; references?: unknown }): boolean {
  if (schemaType !== undefined && schemaType !== null && !isName(schemaType)) return false;
  if (references === undefined || references === null) return true;
  return Array.isArray(references) && references.every(isReference);
}

function isName(text: unknown): boolean {
  return typeof text === 'string' && /^\w{1,40}$/.test(text);
}

function isReference(one: Partial<Reference> | null): boolean {
  return typeof one?.subject === 'string' && one.subject.length <= MOST_NAME && Number.isInteger(one.version);
}

function refuseLogin(status: number, url: string): void {
  if (status !== 401 && status !== 403) return;
  throw new SqlError('28P01', `the schema registry at ${url} refused the login: HTTP status ${status}`);
}

function noAnswer(status: number, url: string): SqlError {
  return failed(url, `HTTP status ${status}, which is no answer of a registry`);
}

/** Where a name has several addresses, the error has no message. */
function wordsOf({ message, code }: NodeJS.ErrnoException): string {
  return message === '' ? String(code) : message;
}

function failed(url: string, why: string): SqlError {
  return new SqlError('08001', `could not ask the schema registry at ${url}: ${why}`);
}
