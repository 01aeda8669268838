/**
 * What the schema beside a message says of its fields (Kafka Connect's JsonConverter with schemas.enable):
 *
 *   {"type": "struct", "fields": [{"field": "after", "type": "struct", "fields": [{"field": "price", "type": "bytes", "name": "org.apache.kafka.connect.data.Decimal", "parameters": {"scale": "2"}}]}, ...]}
 */
import { decodeString, type JsonNode, type JsonObjectNode } from '../../../operators/expr/json/parse.ts';

export interface FieldSchema {
  /** Of Connect: 'int32', 'string', 'bytes', 'struct', 'array', ... */
  type: string | null;
  /** What the value means: 'io.debezium.time.Date', ...; null: nothing more than its type. */
  name: string | null;
  /** Digits behind the point of a Decimal. */
  scale: number | null;
  /** Of an array. */
  items: FieldSchema | null;
  /** Of a struct. */
  fields: Map<string, FieldSchema> | null;
}

/** The schema in a node; null when it is none. */
export function schemaOf(node: JsonNode | undefined): FieldSchema | null {
  if (node?.kind !== 'object') return null;
  const parameters = memberOf(node, 'parameters');
  const scale = parameters?.kind === 'object' ? stringOf(memberOf(parameters, 'scale')) : null;
  return {
    type: stringOf(memberOf(node, 'type')),
    name: stringOf(memberOf(node, 'name')),
    scale: scale !== null && /^-?\d{1,6}$/.test(scale) ? Number(scale) : null,
    items: schemaOf(memberOf(node, 'items')),
    fields: fieldsOf(memberOf(node, 'fields')),
  };
}

function fieldsOf(node: JsonNode | undefined): Map<string, FieldSchema> | null {
  if (node?.kind !== 'array') return null;
  const fields = new Map<string, FieldSchema>();
  for (const item of node.items) {
    const schema = schemaOf(item);
    const name = item.kind === 'object' ? stringOf(memberOf(item, 'field')) : null;
    if (schema !== null && name !== null) fields.set(name, schema);
  }
  return fields;
}

/** The member of this name; of equal names the last. */
export function memberOf(node: JsonObjectNode, name: string): JsonNode | undefined {
  return node.entries.findLast(({ key }) => decodeString(key) === name)?.value;
}

export function stringOf(node: JsonNode | undefined): string | null {
  return node?.kind === 'string' ? decodeString(node) : null;
}
