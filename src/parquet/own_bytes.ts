/** Bytes of a text, one a character, in memory of their own: they can be moved to another thread. */
export function ownBytes(text: string): Buffer {
  const bytes = Buffer.from(new ArrayBuffer(text.length));
  bytes.write(text, 'latin1');
  return bytes;
}
