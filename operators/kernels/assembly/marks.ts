/**
 * Announces writes to state memory (operators/state/write_marks.ts): page 0 has a mark a page, and only the first write to a page goes out to
 * JavaScript. Checked builds keep their finer marks elsewhere and leave page 0 empty, so there every write does.
 */
@external("env", "touch")
declare function touch(address: u32, bytes: u32): void;

/** At most 64 KiB, at least a byte, are about to be written. */
@inline
export function announce(address: usize, bytes: u32): void {
  if (load<u8>(address >> 16) == 0 || load<u8>((address + bytes - 1) >> 16) == 0) touch(<u32>address, bytes);
}
