/**
 * Choice of the best candidate among overloads: steps 2 to 4 of PostgreSQL manual 10.2 and 10.3, the same for operators and
 * functions.
 *
 *   can be called at all -> most exact matches -> most exact or preferred -> categories of the untyped arguments
 *   -> the untyped arguments taken as the one type of the typed ones
 */
import { OID } from '../../operators/types.ts';
import { findCoercion } from './cast.ts';
import { baseTypeOf, categoryOf, isPreferred } from './catalog.ts';
import { isConsistent, isPolymorphic } from './polymorphic.ts';

/** Anything with declared argument types, one per actual argument. */
export interface Candidate {
  args: number[];
}

/** True when values of the actual types can be passed to the declared ones by implicit coercion. */
function canCall(actual: number[], declared: number[]): boolean {
  let polymorphic = false;
  for (let i = 0; i < actual.length; i++) {
    const to = declared[i];
    if (isPolymorphic(to)) polymorphic = true;
    else if (to !== OID.any && findCoercion(actual[i], to, 'implicit') === null) return false;
  }
  return !polymorphic || isConsistent(declared, actual);
}

function keepBest<C>(candidates: C[], score: (c: C) => number): C[] {
  const scores = candidates.map(score);
  const best = Math.max(...scores);
  return candidates.filter((_, i) => scores[i] === best);
}

/** The one candidate to call, 'none' when no one fits, 'ambiguous' when several fit equally well. */
export function chooseCandidate<C extends Candidate>(actual: number[], all: C[]): C | 'none' | 'ambiguous' {
  const fitting = all.filter((c) => canCall(actual, c.args));
  if (fitting.length === 0) return 'none';
  return fitting.length === 1 ? fitting[0] : (selectBest(actual, fitting) ?? 'ambiguous');
}

function selectBest<C extends Candidate>(actual: number[], fitting: C[]): C | null {
  const inputs = actual.map(baseTypeOf);
  const isTyped = (i: number): boolean => inputs[i] !== OID.unknown;
  const count = (test: (i: number) => boolean): number => inputs.reduce((n, _, i) => (test(i) ? n + 1 : n), 0);

  let left = keepBest(fitting, (c) => count((i) => isTyped(i) && c.args[i] === inputs[i]));
  if (left.length === 1) return left[0];

  const isPreferredOf = (category: string, type: number): boolean => categoryOf(type) === category && isPreferred(type);
  left = keepBest(left, (c) =>
    count((i) => isTyped(i) && (c.args[i] === inputs[i] || isPreferredOf(categoryOf(inputs[i]), c.args[i]))),
  );
  if (left.length === 1) return left[0];
  const untyped = inputs.map((_, i) => i).filter((i) => !isTyped(i));
  if (untyped.length === 0) return null;

  left = keepByCategory(left, untyped);
  if (left.length === 1) return left[0];

  const typed = new Set(inputs.filter((t) => t !== OID.unknown));
  if (typed.size !== 1) return null;
  const [only] = typed;
  const asIfTyped = inputs.map(() => only);
  const callable = left.filter((c) => canCall(asIfTyped, c.args));
  return callable.length === 1 ? callable[0] : null;
}

/** Candidates that take each untyped argument in the category chosen for it; all of them when no category can be chosen. */
function keepByCategory<C extends Candidate>(candidates: C[], untyped: number[]): C[] {
  const slots: { at: number; category: string; preferred: boolean }[] = [];
  for (const at of untyped) {
    const types = candidates.map((c) => c.args[at]);
    const categories = new Set(types.map(categoryOf));
    // The string category wins wherever a candidate takes it; otherwise all must agree.
    const category = categories.has('S') ? 'S' : [...categories][0];
    if (category !== 'S' && categories.size > 1) return candidates;
    slots.push({ at, category, preferred: types.some((t) => categoryOf(t) === category && isPreferred(t)) });
  }
  const kept = candidates.filter((c) =>
    slots.every((s) => categoryOf(c.args[s.at]) === s.category && (!s.preferred || isPreferred(c.args[s.at]))),
  );
  return kept.length > 0 ? kept : candidates;
}
