/** What EXIT, CONTINUE and RETURN do to the blocks and loops around them. */

/** How a statement ended, if not with the next one. */
export type Leave = { by: 'exit' | 'continue'; label: string | null } | { by: 'return' } | null;

export function isNextPass(leave: Leave, label: string | undefined): boolean {
  return leave?.by === 'continue' && (leave.label === null || leave.label === label);
}

export function isEndOf(leave: Leave, label: string | undefined): boolean {
  return leave?.by === 'exit' && (leave.label === null || leave.label === label);
}

/** A block is left by its own label only. */
export function outOf(label: string | undefined, leave: Leave): Leave {
  return leave?.by === 'exit' && leave.label !== null && leave.label === label ? null : leave;
}
