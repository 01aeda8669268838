/** Bytes of a message that is being written: a buffer that grows. */
export abstract class ByteOutput {
  #bytes = Buffer.allocUnsafe(1024);
  #at = 0;

  /** As the format has it before bytes and texts. */
  protected abstract length(bytes: number): void;

  begin(): void {
    this.#at = 0;
  }

  /** What has been written since begin(), as bytes of its own. */
  take(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#at));
  }

  /** Room for so many bytes more; gives where they begin. */
  #room(length: number): number {
    const at = this.#at;
    if (at + length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(at + length, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, at);
      this.#bytes = larger;
    }
    this.#at = at + length;
    return at;
  }

  byte(value: number): void {
    const at = this.#room(1);
    this.#bytes[at] = value;
  }

  float(value: number): void {
    const at = this.#room(4);
    this.#bytes.writeFloatLE(value, at);
  }

  double(value: number): void {
    const at = this.#room(8);
    this.#bytes.writeDoubleLE(value, at);
  }

  bytes(value: Uint8Array): void {
    this.length(value.length);
    this.raw(value);
  }

  /** Without a length. */
  raw(value: Uint8Array): void {
    const at = this.#room(value.length);
    this.#bytes.set(value, at);
  }

  string(text: string): void {
    const length = Buffer.byteLength(text);
    this.length(length);
    const at = this.#room(length);
    this.#bytes.write(text, at);
  }
}
