/**
 * An Avro value as JSON text: records and maps are objects, arrays arrays, a union is its value without a wrapper, scalars are what to_json makes of the type
 * that they are like (scalar.ts): "\\x00ff" for bytes, "2026-01-01T10:00:00+00:00" for a timestamp.
 */
import { defaultContext } from '../../../operators/expr/context.ts';
import { jsonOf } from '../../../operators/expr/json/encode.ts';
import { quoteJson } from '../../../operators/expr/json/value.ts';
import type { AvroBytes } from './bytes.ts';
import { readString, scalarOf } from './scalar.ts';
import type { AvroType } from './schema.ts';

export type JsonReader = (from: AvroBytes) => string;

const CONTEXT = defaultContext();

/** `known`: readers of records, which may be within themselves. */
export function jsonReader(type: AvroType, known = new Map<AvroType, JsonReader>()): JsonReader {
  switch (type.k) {
    case 'null':
      return (from) => {
        from.count();
        return 'null';
      };
    case 'array': {
      const item = jsonReader(type.items, known);
      return (from) => {
        const items: string[] = [];
        from.blocks(() => items.push(item(from)));
        return `[${items.join(',')}]`;
      };
    }
    case 'map': {
      const value = jsonReader(type.values, known);
      return (from) => {
        const entries: string[] = [];
        from.blocks(() => entries.push(`${quoteJson(readString(from))}:${value(from)}`));
        return `{${entries.join(',')}}`;
      };
    }
    case 'union': {
      const branches = type.branches.map((branch) => jsonReader(branch, known));
      return (from) => branches[from.readIndex(branches.length)](from);
    }
    case 'record': {
      const there = known.get(type);
      if (there !== undefined) return (from) => there(from);
      const fields: { key: string; read: JsonReader }[] = [];
      const reader: JsonReader = (from) => {
        from.enter();
        const entries = fields.map(({ key, read }) => {
          from.give(key.length);
          return key + read(from);
        });
        from.leave();
        return `{${entries.join(',')}}`;
      };
      known.set(type, reader);
      for (const { name, type: of } of type.fields) {
        fields.push({ key: `${quoteJson(name)}:`, read: jsonReader(of, known) });
      }
      return reader;
    }
    default: {
      const scalar = scalarOf(type);
      if (scalar === null) throw new Error(`${type.k} is no scalar`);
      const { oid, read } = scalar;
      return (from) => jsonOf(read(from), oid, CONTEXT);
    }
  }
}
