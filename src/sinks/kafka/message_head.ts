/** The first bytes of a message, which say by which schema of the registry the rest was written: a zero byte, its id, and what the format has behind them. */
import type { Registrar } from '../../registry/client.ts';
import { FRAMING_BYTES } from '../../registry/framing.ts';

export class MessageHead {
  readonly #registry: Registrar;
  readonly #subject: string;
  readonly #schema: string;
  readonly #behind: Buffer;
  #bytes: Buffer | null = null;

  constructor(registry: Registrar, subject: string, schema: string, behind = Buffer.alloc(0)) {
    this.#registry = registry;
    this.#subject = subject;
    this.#schema = schema;
    this.#behind = behind;
  }

  /** Puts the schema into the registry. */
  async prepare(): Promise<void> {
    if (this.#bytes !== null) return;
    const id = await this.#registry.register(this.#subject, this.#schema);
    const framing = Buffer.alloc(FRAMING_BYTES);
    framing.writeUInt32BE(id, 1);
    this.#bytes = Buffer.concat([framing, this.#behind]);
  }

  before(rest: Buffer): Buffer {
    if (this.#bytes === null) throw new Error('prepare() comes first');
    return Buffer.concat([this.#bytes, rest]);
  }
}
