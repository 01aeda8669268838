/** Text and binary of enum types: both are the label. */
import { isEnumType } from '../../types.ts';
import { enumLabel, enumLabelBytes, enumValue } from '../enum_types.ts';
import { registerIoFamily, type TypeIo } from './registry.ts';
import { textOfUtf8 } from './wire.ts';

const ENUM_IO: TypeIo = {
  in: (text, ctx, t) => enumValue(t.oid, text, ctx.searchPath),
  out: (d: number, _ctx, oid) => enumLabel(oid, d),
  recv: (bytes, oid) => enumValue(oid, textOfUtf8(bytes)),
  send: (d: number, oid) => enumLabelBytes(oid, d),
};

registerIoFamily((oid) => (isEnumType(oid) ? ENUM_IO : null));
