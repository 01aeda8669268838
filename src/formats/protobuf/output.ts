/** Protobuf bytes that are being written: a buffer that grows. A message within another one is written first, because its length comes before it. */
export class ProtobufOutput {
  #bytes = Buffer.allocUnsafe(1024);
  #at = 0;

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

  #byte(value: number): void {
    const at = this.#room(1);
    this.#bytes[at] = value;
  }

  tag(field: number, wire: number): void {
    this.varint(field * 8 + wire);
  }

  /** Negative ones have ten bytes. */
  varint(value: number | bigint): void {
    if (typeof value === 'number' && value >= 0 && value <= 0x7fff_ffff) {
      let bits = value;
      for (; bits > 127; bits >>>= 7) this.#byte((bits & 127) | 128);
      this.#byte(bits);
      return;
    }
    let bits = BigInt.asUintN(64, BigInt(value));
    for (; bits > 127n; bits >>= 7n) this.#byte(Number(bits & 127n) | 128);
    this.#byte(Number(bits));
  }

  float(value: number): void {
    const at = this.#room(4);
    this.#bytes.writeFloatLE(value, at);
  }

  double(value: number): void {
    const at = this.#room(8);
    this.#bytes.writeDoubleLE(value, at);
  }

  /** With their length. */
  bytes(value: Uint8Array): void {
    this.varint(value.length);
    const at = this.#room(value.length);
    this.#bytes.set(value, at);
  }

  string(text: string): void {
    const length = Buffer.byteLength(text);
    this.varint(length);
    const at = this.#room(length);
    this.#bytes.write(text, at);
  }
}
