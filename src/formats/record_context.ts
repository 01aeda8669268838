/** What the text input of types may ask for while a record is read. */
import { defaultContext } from '../../operators/expr/context.ts';
import { EPOCH_DIFF_MS } from '../../operators/expr/datetime/calendar.ts';
import type { EvalContext } from '../../operators/expr/ir.ts';
import type { RawBatch } from '../sources/source.ts';

const BASE_CONTEXT = defaultContext();

/** 'now' in a message is the record's own time, so that reading it again gives the same row. Seldom asked for. */
export class RecordContext implements EvalContext {
  raw!: RawBatch;
  record = 0;
  readonly timeZone = BASE_CONTEXT.timeZone;
  readonly dateStyle = BASE_CONTEXT.dateStyle;
  readonly intervalStyle = BASE_CONTEXT.intervalStyle;
  readonly extraFloatDigits = BASE_CONTEXT.extraFloatDigits;
  readonly byteaOutput = BASE_CONTEXT.byteaOutput;
  readonly user = BASE_CONTEXT.user;
  readonly database = BASE_CONTEXT.database;
  readonly searchPath = BASE_CONTEXT.searchPath;
  readonly tick = BASE_CONTEXT.tick;

  get now(): bigint {
    return BigInt(Math.trunc(this.raw.timestamp[this.record]) - EPOCH_DIFF_MS) * 1000n;
  }
}
