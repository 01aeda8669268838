/** Whether a plan or an expression, any plain data, calls nextval() or setval(). */
export function takesValues(part: unknown): boolean {
  if (typeof part !== 'object' || part === null || ArrayBuffer.isView(part)) return false;
  if ('fn' in part && typeof part.fn === 'string' && /^(next|set)val\(/.test(part.fn)) return true;
  return Object.values(part).some(takesValues);
}
