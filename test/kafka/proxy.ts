/**
 * A TCP proxy before a broker that knows where Kafka's requests and answers begin, so that a test can have something happen exactly between two of them.
 *
 *   client -> request -- watch(api) --> broker -> answer -- the same watch --> client
 *
 * cut(): nothing passes any more and nobody is told, as when a cable is pulled; new connections are accepted and hear nothing. mend(): connections of before
 * are reset, new ones work. change(): answers of a kind come otherwise than the broker gave them.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, Socket } from 'node:net';

export const API = { produce: 0, fetch: 1, initProducerId: 22, addPartitionsToTxn: 24, endTxn: 26 } as const;

/** What happens at the next request of a kind: true lets it pass. */
export interface Watch {
  api: number;
  /** How many of its kind pass before. */
  after?: number;
  /** Before the broker has the request. */
  request?: () => boolean | Promise<boolean>;
  /** When the broker has answered, before the client knows. */
  answer?: () => boolean | Promise<boolean>;
}

export class KafkaProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #target = 0;
  #cut = false;
  #watch: Watch | null = null;
  #change: Change | null = null;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (client) => this.#connected(client));
  }

  static async listen(): Promise<KafkaProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new KafkaProxy(server);
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  to(port: number): void {
    this.#target = port;
  }

  /** Once: it is gone when it has come true. */
  watch(watch: Watch | null): void {
    this.#watch = watch;
  }

  /** Until another is set: what an answer (with its length and number before it) becomes. */
  change(change: Change | null): void {
    this.#change = change;
  }

  cut(): void {
    this.#cut = true;
  }

  mend(): void {
    this.#cut = false;
    this.reset();
  }

  /** Ends all connections. */
  reset(): void {
    for (const pair of this.#pairs) pair.destroy();
  }

  #connected(client: Socket): void {
    const pair = new Pair(client, this.#target, {
      isCut: () => this.#cut,
      change: () => this.#change,
      take: (api) => {
        const watch = this.#watch;
        if (watch === null || watch.api !== api) return null;
        if (watch.after !== undefined && watch.after-- > 0) return null;
        this.#watch = null;
        return watch;
      },
      gone: () => this.#pairs.delete(pair),
    });
    this.#pairs.add(pair);
  }

  async close(): Promise<void> {
    this.reset();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

interface Change {
  api: number;
  answer: (frame: Buffer) => void;
}

interface Rules {
  isCut(): boolean;
  change(): Change | null;
  take(api: number): Watch | null;
  gone(): void;
}

/** One client's connection and the one to the broker that belongs to it. */
class Pair {
  readonly #client: Socket;
  readonly #broker = new Socket();
  readonly #rules: Rules;
  readonly #watched = new Map<number, Watch>();
  /** Of requests that are not answered. */
  readonly #apis = new Map<number, number>();

  constructor(client: Socket, port: number, rules: Rules) {
    this.#client = client;
    this.#rules = rules;
    this.#broker.connect(port, '127.0.0.1');
    for (const socket of [client, this.#broker]) {
      socket.setNoDelay(true);
      // Either end may be killed at any time.
      socket.on('error', () => undefined);
      socket.on('close', () => this.destroy());
    }
    this.#pass(client, this.#broker, async (frame) => {
      const api = frame.readInt16BE(4);
      this.#apis.set(frame.readInt32BE(8), api);
      const watch = rules.take(api);
      if (watch === null) return true;
      if (watch.answer !== undefined) this.#watched.set(frame.readInt32BE(8), watch);
      return (await watch.request?.()) ?? true;
    });
    this.#pass(this.#broker, client, async (frame) => {
      const number = frame.readInt32BE(4);
      const change = rules.change();
      if (change?.api === this.#apis.get(number)) change?.answer(frame);
      this.#apis.delete(number);
      const watch = this.#watched.get(number);
      return (await watch?.answer?.()) ?? true;
    });
  }

  #pass(from: Socket, to: Socket, look: (frame: Buffer) => Promise<boolean>): void {
    let rest: Buffer = Buffer.alloc(0);
    let passing = Promise.resolve();
    from.on('data', (bytes: Buffer) => {
      rest = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
        const length = 4 + rest.readInt32BE(0);
        const frame = rest.subarray(0, length);
        rest = rest.subarray(length);
        passing = passing.then(async () => {
          if ((await look(frame)) && !this.#rules.isCut()) to.write(frame);
        });
      }
    });
  }

  destroy(): void {
    this.#client.destroy();
    this.#broker.destroy();
    this.#rules.gone();
  }
}
