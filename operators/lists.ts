/**
 * Empties a list and keeps its room, for what is filled again in the next tick: a new list takes room for seventeen at its first push, and setting the
 * length to 0 is a call out of compiled code that gives the room back.
 */
export function empty(list: unknown[]): void {
  while (list.length > 0) list.pop();
}
