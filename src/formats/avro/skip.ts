/** Over a value that no column has. */
import type { AvroBytes } from './bytes.ts';
import type { AvroType } from './schema.ts';

export type Skip = (from: AvroBytes) => void;

/** `known`: those of records, which may be within themselves. */
export function skipOf(type: AvroType, known = new Map<AvroType, Skip>()): Skip {
  switch (type.k) {
    case 'null':
      return (from) => from.count();
    case 'boolean':
      return (from) => from.readBoolean();
    case 'int':
      return (from) => from.readInt();
    case 'long':
      return (from) => from.readLong();
    case 'float':
      return (from) => from.take(4);
    case 'double':
      return (from) => from.take(8);
    case 'bytes':
    case 'string':
      return (from) => from.take(from.readLength());
    case 'fixed': {
      const { size } = type;
      return (from) => from.take(size);
    }
    case 'enum': {
      const { length } = type.symbols;
      return (from) => from.readIndex(length);
    }
    case 'array': {
      const item = skipOf(type.items, known);
      return (from) => from.blocks(() => item(from));
    }
    case 'map': {
      const value = skipOf(type.values, known);
      return (from) =>
        from.blocks(() => {
          from.take(from.readLength());
          value(from);
        });
    }
    case 'union': {
      const branches = type.branches.map((branch) => skipOf(branch, known));
      return (from) => branches[from.readIndex(branches.length)](from);
    }
    case 'record': {
      const there = known.get(type);
      if (there !== undefined) return (from) => there(from);
      const fields: Skip[] = [];
      const skip: Skip = (from) => {
        from.enter();
        for (const field of fields) field(from);
        from.leave();
      };
      known.set(type, skip);
      for (const field of type.fields) fields.push(skipOf(field.type, known));
      return skip;
    }
  }
}
