/** Avro bytes that are being written. */
import { ByteOutput } from '../byte_output.ts';

export class AvroOutput extends ByteOutput {
  protected length(bytes: number): void {
    this.long(bytes);
  }

  /** A zigzag varint. */
  long(value: number | bigint): void {
    if (typeof value === 'number' && value >= -0x4000_0000 && value < 0x4000_0000) {
      let bits = (value << 1) ^ (value >> 31);
      for (; bits > 127; bits >>>= 7) this.byte((bits & 127) | 128);
      this.byte(bits);
      return;
    }
    const big = BigInt(value);
    let bits = BigInt.asUintN(64, (big << 1n) ^ (big >> 63n));
    for (; bits > 127n; bits >>= 7n) this.byte(Number(bits & 127n) | 128);
    this.byte(Number(bits));
  }
}
