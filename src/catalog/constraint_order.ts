/** The order in which constraints of a table or a domain are kept, and looked at: that of their names, as in PostgreSQL. */
export function inOrderOfNames<T extends { name: string }>(constraints: T[]): T[] {
  return [...constraints].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
}
