/** A schema registry on loopback for tests, and messages by its schemas. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import avro from 'avsc';
import protobuf from 'protobufjs';

export interface Registered {
  schema: string;
  schemaType?: string;
  references?: { name: string; subject: string; version: number }[];
}

export class TestRegistry {
  /** By id. */
  readonly schemas = new Map<number, Registered>();
  /** By `subject/version`. */
  readonly subjects = new Map<string, Registered>();
  readonly asked: string[] = [];
  /** What answers instead, where it does. */
  answer: ((request: IncomingMessage, response: ServerResponse) => void) | null = null;
  #server: Server | null = null;
  #port = 0;

  async start(): Promise<void> {
    const server = createServer((request, response) => this.#respond(request, response));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    server?.closeAllConnections();
    await new Promise((resolve) => (server === null ? resolve(null) : server.close(resolve)));
  }

  /** POST: a schema gets the id that it has already, or a new one. */
  async #register(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const piece of request) text += piece;
    const registered = JSON.parse(text) as Registered;
    const known = [...this.schemas].find(([, { schema }]) => schema === registered.schema);
    const id = known?.[0] ?? Math.max(0, ...this.schemas.keys()) + 1;
    this.schemas.set(id, registered);
    response.end(JSON.stringify({ id }));
  }

  #respond(request: IncomingMessage, response: ServerResponse): void {
    const { url = '' } = request;
    this.asked.push(url);
    if (this.answer !== null) {
      this.answer(request, response);
      return;
    }
    if (request.method === 'POST') {
      void this.#register(request, response);
      return;
    }
    const byId = /^\/schemas\/ids\/(\d+)$/.exec(url);
    const byVersion = /^\/subjects\/([^/]+)\/versions\/(\d+)$/.exec(url);
    const found =
      byId !== null
        ? this.schemas.get(Number(byId[1]))
        : byVersion !== null && this.subjects.get(`${decodeURIComponent(byVersion[1])}/${byVersion[2]}`);
    response.statusCode = found ? 200 : 404;
    response.setHeader('content-type', 'application/vnd.schemaregistry.v1+json');
    const missing = { error_code: byId === null ? 40401 : 40403, message: 'not found' };
    response.end(JSON.stringify(found || missing));
  }

  /** Puts a schema in under the id; gives what makes messages by it. */
  add(id: number, schema: unknown): (value: unknown) => Buffer {
    this.schemas.set(id, { schema: JSON.stringify(schema) });
    return writer(id, schema);
  }

  /** The same of a .proto file; `path`: where the message is in it, if it is not the first. */
  addProtobuf(id: number, schema: string, message: string, path: number[] = []): (value: object) => Buffer {
    this.schemas.set(id, { schema, schemaType: 'PROTOBUF' });
    const write = protobufWriter(schema, message);
    const numbers = Buffer.from([path.length, ...path].map((n) => n * 2));
    return (value) => framed(id, Buffer.concat([numbers, write(value)]));
  }
}

const TIMESTAMP = protobuf.common.get('google/protobuf/timestamp.proto')?.nested ?? {};

/** Messages alone, of this kind. */
export function protobufWriter(schema: string, message: string): (value: object) => Buffer {
  const { root } = protobuf.parse(schema, { keepCase: true });
  const type = root.addJSON(TIMESTAMP).lookupType(message);
  return (value) => Buffer.from(type.encode(value).finish());
}

/** Messages by a schema, in Confluent's wire format. */
export function writer(id: number, schema: unknown): (value: unknown) => Buffer {
  const type = avro.Type.forSchema(schema as avro.Schema, { wrapUnions: 'never', registry: {} });
  return (value) => framed(id, type.toBuffer(value));
}

export function framed(id: number, body: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(id, 1);
  return Buffer.concat([head, body]);
}
