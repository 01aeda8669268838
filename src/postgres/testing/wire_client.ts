/**
 * A client that speaks in single messages: frontend messages come from pg-protocol's `serialize`, answers are shown one a string,
 * so that a test can compare a whole conversation.
 *
 *   'R'  'S name=value'  'K'  'Z I'  'T a:23:0'  'D 1|NULL'  'C SELECT 1'  'E 22012 division by zero'  '1'  ...
 */
import { connect, type Socket } from 'node:net';

export interface Message {
  type: string;
  body: Buffer;
}

export interface StartupOptions {
  version?: number;
  params?: Record<string, string>;
}

/** How long a test waits for the server at most. */
const PATIENCE_MS = 60000;

export function int32(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => {
    bytes.writeInt32BE(value | 0, i * 4);
  });
  return bytes;
}

export function startupPacket({ version = 0x30000, params = {} }: StartupOptions = {}): Buffer {
  const all: Record<string, string> = { user: 'tester', ...params };
  const text = `${Object.entries(all)
    .map(([name, value]) => `${name}\0${value}\0`)
    .join('')}\0`;
  const body = Buffer.concat([int32(version), Buffer.from(text)]);
  return Buffer.concat([int32(body.length + 4), body]);
}

export class WireClient {
  readonly socket: Socket;
  closed = false;
  pid = 0;
  secret: Buffer = Buffer.alloc(0);
  #bytes: Buffer = Buffer.alloc(0);
  #wake: (() => void) | null = null;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#wake?.();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
      this.#wake?.();
    });
  }

  static async open(port: number): Promise<WireClient> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', () => resolve());
      socket.once('error', reject);
    });
    return new WireClient(socket);
  }

  /** Connected, started, and past the first ReadyForQuery. */
  static async start(port: number, params: Record<string, string> = {}): Promise<WireClient> {
    const client = await WireClient.open(port);
    client.send(startupPacket({ params }));
    for (const message of await client.messagesUntil('Z')) client.#remember(message);
    return client;
  }

  #remember({ type, body }: Message): void {
    if (type !== 'K') return;
    this.pid = body.readInt32BE(0);
    this.secret = body.subarray(4);
  }

  send(...parts: Uint8Array[]): void {
    this.socket.write(Buffer.concat(parts));
  }

  async #changed(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve, reject) => {
      this.#wake = resolve;
      timer = setTimeout(() => reject(new Error('the server does not answer')), PATIENCE_MS);
    });
    clearTimeout(timer);
    this.#wake = null;
  }

  /** `count` bytes that belong to no message. */
  async raw(count: number): Promise<Buffer> {
    while (this.#bytes.length < count && !this.closed) await this.#changed();
    const bytes = this.#bytes.subarray(0, count);
    this.#bytes = this.#bytes.subarray(bytes.length);
    return bytes;
  }

  /** The next message; null when the server has closed. */
  async message(): Promise<Message | null> {
    for (;;) {
      if (this.#bytes.length >= 5) {
        const length = this.#bytes.readInt32BE(1);
        if (this.#bytes.length > length) {
          const message = { type: String.fromCharCode(this.#bytes[0]), body: this.#bytes.subarray(5, length + 1) };
          this.#bytes = this.#bytes.subarray(length + 1);
          return message;
        }
      }
      if (this.closed) return null;
      await this.#changed();
    }
  }

  /** All messages up to the first of this type, or up to the end of the connection. */
  async messagesUntil(type: string): Promise<Message[]> {
    const messages: Message[] = [];
    for (;;) {
      const message = await this.message();
      if (message === null) return messages;
      messages.push(message);
      if (message.type === type) return messages;
    }
  }

  /** The same, shown. */
  async until(type: string): Promise<string[]> {
    return (await this.messagesUntil(type)).map(show);
  }

  /** Everything up to the end of the connection, shown. */
  async untilClosed(): Promise<string[]> {
    return this.until('\0');
  }

  /** True when nothing has come that was not taken. */
  get silent(): boolean {
    return this.#bytes.length === 0;
  }

  close(): void {
    this.socket.destroy();
  }
}

function fields(body: Buffer): Map<string, string> {
  const out = new Map<string, string>();
  for (const part of body.toString('utf8').split('\0')) if (part !== '') out.set(part[0], part.slice(1));
  return out;
}

/** Values of a DataRow as bytes. */
export function values(body: Buffer): (Buffer | null)[] {
  const out: (Buffer | null)[] = [];
  let at = 2;
  for (let n = body.readUInt16BE(0); n > 0; n--) {
    const length = body.readInt32BE(at);
    at += 4;
    out.push(length === -1 ? null : body.subarray(at, at + length));
    at += Math.max(length, 0);
  }
  return out;
}

function columns(body: Buffer): string[] {
  const out: string[] = [];
  let at = 2;
  for (let n = body.readUInt16BE(0); n > 0; n--) {
    const end = body.indexOf(0, at);
    out.push(`${body.toString('utf8', at, end)}:${body.readUInt32BE(end + 7)}:${body.readUInt16BE(end + 17)}`);
    at = end + 19;
  }
  return out;
}

export function show({ type, body }: Message): string {
  switch (type) {
    case 'Z':
    case 'C':
      return `${type} ${body.toString('utf8').replace(/\0$/, '')}`;
    case 'S':
      return `S ${body.toString('utf8').replace('\0', '=').replace('\0', '')}`;
    case 'E':
    case 'N': {
      const found = fields(body);
      const severity = type === 'E' && found.get('S') !== 'ERROR' ? `${found.get('S')} ` : '';
      return `${type} ${severity}${found.get('C')} ${found.get('M')}`;
    }
    case 'D':
      return `D ${values(body)
        .map((value) => value?.toString('utf8') ?? 'NULL')
        .join('|')}`;
    case 'T':
      return `T ${columns(body).join(' ')}`;
    case 't':
      return `t ${Array.from({ length: body.readUInt16BE(0) }, (_, i) => body.readUInt32BE(2 + i * 4)).join(' ')}`.trim();
    case 'd':
      return `d ${JSON.stringify(body.toString('utf8'))}`;
    case 'A':
      return `A ${body.subarray(4).toString('utf8').replace('\0', '=').replace('\0', '')}`;
    case 'G':
    case 'H':
      return `${type} ${body[0]} ${body.readUInt16BE(1)}`;
    default:
      return type;
  }
}

/** Fields of an ErrorResponse by their letters. */
export function errorFields(message: Message): Map<string, string> {
  return fields(message.body);
}
