/** Names of the files in DIR/cold. */

export function coldFileName(number: number): string {
  return `cold-${String(number).padStart(10, '0')}`;
}

/** A file that was found damaged is moved aside to this name. */
export function damagedName(number: number): string {
  return `${coldFileName(number)}.damaged`;
}

/** The number in the name of a file that was moved aside; null for other names. */
export function damagedNumber(name: string): number | null {
  const match = /^cold-(\d{10})\.damaged$/.exec(name);
  return match === null ? null : Number(match[1]);
}

/** The number in a cold file's name; null for other names. */
export function coldFileNumber(name: string): number | null {
  const match = /^cold-(\d{10})$/.exec(name);
  return match === null ? null : Number(match[1]);
}
