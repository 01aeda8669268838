/**
 * Frames from one thread to another through shared memory: one writer, one reader.
 *
 *   control int32s   head (written up to) | tail (read up to) | the reader sleeps | the writer waits for room      a cache line each
 *   frames           kind | id | length | bytes, padded to 4; a frame never wraps: kind 0 sends the reader to the start
 *
 * Positions only grow (modulo 2^32), so head - tail is what lies between. A frame is there for the reader as soon as head is stored. The reader says
 * that it sleeps before its last look, the writer looks whether it sleeps after its store: one of the two sees the other.
 */
const HEAD = 0;
const TAIL = 16;
const ASLEEP = 32;
const NO_ROOM = 48;
const CONTROL_BYTES = 256;

const FRAME_HEAD_BYTES = 12;
const PAD = 0;
const RING_BYTES = 1 << 20;
/** Frames longer than this do not go through a ring. */
export const MAX_FRAME_BYTES = RING_BYTES / 16;

const MASK = RING_BYTES - 1;
const SHORT_BYTES = 128;

export function newRing(): SharedArrayBuffer {
  return new SharedArrayBuffer(CONTROL_BYTES + RING_BYTES);
}

export class RingWriter {
  readonly #control: Int32Array;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  #head = 0;

  constructor(ring: SharedArrayBuffer) {
    this.#control = new Int32Array(ring, 0, CONTROL_BYTES / 4);
    this.#words = new Int32Array(ring, CONTROL_BYTES);
    this.#bytes = new Uint8Array(ring, CONTROL_BYTES);
  }

  /** False when there is no room; the reader then wakes this side when there may be. Kinds are not 0. */
  write(kind: number, id: number, bytes: Uint8Array | null): boolean {
    const length = bytes === null ? 0 : bytes.length;
    const size = (FRAME_HEAD_BYTES + length + 3) & ~3;
    const toEnd = RING_BYTES - (this.#head & MASK);
    const wanted = size <= toEnd ? size : size + toEnd;
    if (!this.#hasRoom(wanted)) {
      Atomics.store(this.#control, NO_ROOM, 1);
      // Room may have been made before that was seen.
      if (!this.#hasRoom(wanted)) return false;
      Atomics.store(this.#control, NO_ROOM, 0);
    }
    if (size > toEnd) {
      this.#words[(this.#head & MASK) >> 2] = PAD;
      this.#head = (this.#head + toEnd) | 0;
    }
    const at = this.#head & MASK;
    const word = at >> 2;
    this.#words[word] = kind;
    this.#words[word + 1] = id;
    this.#words[word + 2] = length;
    if (bytes !== null) this.#bytes.set(bytes, at + FRAME_HEAD_BYTES);
    this.#head = (this.#head + size) | 0;
    Atomics.store(this.#control, HEAD, this.#head);
    return true;
  }

  #hasRoom(wanted: number): boolean {
    return ((this.#head - Atomics.load(this.#control, TAIL)) >>> 0) + wanted <= RING_BYTES;
  }

  /** True when the reader slept; it is then to be woken, by who got this answer. */
  takeSleep(): boolean {
    return Atomics.load(this.#control, ASLEEP) === 1 && Atomics.compareExchange(this.#control, ASLEEP, 1, 0) === 1;
  }
}

export class RingReader {
  readonly #control: Int32Array;
  readonly #words: Int32Array;
  readonly #bytes: Buffer;
  #tail = 0;

  constructor(ring: SharedArrayBuffer) {
    this.#control = new Int32Array(ring, 0, CONTROL_BYTES / 4);
    this.#words = new Int32Array(ring, CONTROL_BYTES);
    this.#bytes = Buffer.from(ring, CONTROL_BYTES);
  }

  /** Gives the frames that are there when it begins, and says whether there were any. The bytes are the receiver's. */
  drain(receive: (kind: number, id: number, bytes: Buffer) => void): boolean {
    const head = Atomics.load(this.#control, HEAD);
    if (head === this.#tail) return false;
    while (this.#tail !== head) {
      const at = this.#tail & MASK;
      const word = at >> 2;
      const kind = this.#words[word];
      if (kind === PAD) {
        this.#tail = (this.#tail + RING_BYTES - at) | 0;
        continue;
      }
      const id = this.#words[word + 1];
      const length = this.#words[word + 2];
      const start = at + FRAME_HEAD_BYTES;
      const bytes = this.#copied(start, length);
      this.#tail = (this.#tail + ((FRAME_HEAD_BYTES + length + 3) & ~3)) | 0;
      // Given back before it is acted upon: what fails there must not be read again. From here on its place is the writer's.
      Atomics.store(this.#control, TAIL, this.#tail);
      receive(kind, id, bytes);
    }
    return true;
  }

  /** Of a short frame byte by byte: a view of it would cost more than its bytes. */
  #copied(start: number, length: number): Buffer {
    const from = this.#bytes;
    const bytes = Buffer.allocUnsafe(length);
    if (length > SHORT_BYTES) from.copy(bytes, 0, start, start + length);
    else for (let i = 0; i < length; i++) bytes[i] = from[start + i];
    return bytes;
  }

  /** False when something has come meanwhile: then it does not sleep. */
  sleep(): boolean {
    Atomics.store(this.#control, ASLEEP, 1);
    if (Atomics.load(this.#control, HEAD) === this.#tail) return true;
    return Atomics.compareExchange(this.#control, ASLEEP, 1, 0) === 0;
  }

  /** True when the writer waits for room; it is then to be woken, by who got this answer. */
  takeWaiting(): boolean {
    return Atomics.load(this.#control, NO_ROOM) === 1 && Atomics.compareExchange(this.#control, NO_ROOM, 1, 0) === 1;
  }
}
