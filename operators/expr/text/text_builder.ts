/**
 * A text that is put together of many pieces, each perhaps a character. Added to a string one by one each of them leaves a node of 32 bytes until the string is read: 128 MiB of text in quotes
 * took the 4 GB that the heap has, and the process ended. Here MOST pieces become one.
 */
import { turn } from '../../turn.ts';

const MOST = 4096;

export class TextBuilder {
  #text = '';
  #pieces: string[] = [];

  add(piece: string): void {
    this.#pieces.push(piece);
    if (this.#pieces.length < MOST) return;
    this.#join();
    turn.look();
  }

  /** All that was added since the last time. */
  take(): string {
    this.#join();
    const text = this.#text;
    this.#text = '';
    return text;
  }

  #join(): void {
    this.#text += this.#pieces.join('');
    this.#pieces.length = 0;
  }
}

/** What each character of a text becomes, put together. */
export function mapCharacters(text: string, change: (character: string) => string): string {
  if (text.length > MOST) {
    const builder = new TextBuilder();
    for (const c of text) builder.add(change(c));
    return builder.take();
  }
  let out = '';
  for (const c of text) out += change(c);
  return out;
}
