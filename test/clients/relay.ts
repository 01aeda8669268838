/** A TCP relay between a server and a database that it reads, so that a test can cut its connections, or have something happen between two commands. */
import { createServer, type Server, type Socket, connect as tcp } from 'node:net';

export class Relay {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #held = false;
  #word = '\0none';
  #then: () => Promise<void> = async () => undefined;

  private constructor(port: number) {
    this.#server = createServer((socket) => {
      if (this.#held) {
        socket.destroy();
        return;
      }
      const to = tcp({ host: '127.0.0.1', port });
      for (const [one, another] of [
        [socket, to],
        [to, socket],
      ]) {
        this.#sockets.add(one);
        one.on('error', () => another.destroy());
        one.on('close', () => another.destroy());
        if (one === to) one.pipe(another);
      }
      socket.on('data', async (bytes) => {
        to.write(bytes);
        if (!bytes.includes(this.#word)) return;
        socket.pause();
        await new Promise((resolve) => to.once('data', resolve));
        await this.#then();
        socket.resume();
      });
    });
  }

  static async start(port: number): Promise<Relay> {
    const relay = new Relay(port);
    await new Promise<void>((resolve) => relay.#server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** Nobody is let through, until goOn(). */
  hold(): void {
    this.#held = true;
    this.cut();
  }

  goOn(): void {
    this.#held = false;
  }

  /** When a command with this word has been answered, the next one waits for that. */
  behind(word: string, then: () => Promise<void>): void {
    this.#word = word;
    this.#then = then;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cut();
    await closed;
  }
}
