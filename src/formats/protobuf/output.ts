/** Protobuf bytes that are being written. A message within another one is written first, because its length comes before it. */
import { ByteOutput } from '../byte_output.ts';

export class ProtobufOutput extends ByteOutput {
  protected length(bytes: number): void {
    this.varint(bytes);
  }

  tag(field: number, wire: number): void {
    this.varint(field * 8 + wire);
  }

  /** Negative ones have ten bytes. */
  varint(value: number | bigint): void {
    if (typeof value === 'number' && value >= 0 && value <= 0x7fff_ffff) {
      let bits = value;
      for (; bits > 127; bits >>>= 7) this.byte((bits & 127) | 128);
      this.byte(bits);
      return;
    }
    let bits = BigInt.asUintN(64, BigInt(value));
    for (; bits > 127n; bits >>= 7n) this.byte(Number(bits & 127n) | 128);
    this.byte(Number(bits));
  }
}
