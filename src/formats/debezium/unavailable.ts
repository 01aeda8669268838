/**
 * What Debezium's connector for PostgreSQL writes for a long value that an UPDATE did not change (TOAST, without REPLICA IDENTITY FULL), as its option unavailable.value.placeholder has it by default: these
 * characters, the base64 of them for bytes, or an array with them as its one text or as its numbers.
 */
import type { JsonNode } from '../../../operators/expr/json/parse.ts';

const PLACEHOLDER = '__debezium_unavailable_value';
const BYTES = Buffer.from(PLACEHOLDER);
const BASE64 = BYTES.toString('base64');

export function isUnavailable(node: JsonNode, text: string): boolean {
  if (node.kind === 'string') return node.raw === PLACEHOLDER || node.raw === BASE64;
  if (node.kind !== 'array') return false;
  const { items } = node;
  if (items.length === 1) return items[0].kind === 'string' && items[0].raw === PLACEHOLDER;
  if (items.length !== BYTES.length) return false;
  return items.every(({ start, end }, i) => text.slice(start, end) === String(BYTES[i]));
}
