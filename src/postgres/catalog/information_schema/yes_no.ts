/** The standard's truth values. */
export function yesNo(value: boolean): 'YES' | 'NO' {
  return value ? 'YES' : 'NO';
}
