/**
 * Runs a path over a jsonb value: depth first, one item at a time, so that what was found before an error is known.
 *
 *   run(chain, at, item, found, unwrap)    the steps from `at` on; results are pushed to `found`, or, without it, the first ends it
 *
 * Lax mode unwraps arrays before steps that want something else (`unwrap`), takes single values for arrays, and takes structural
 * errors for no result. Steps that lead to one item are a loop, others recurse; depth and the number of steps are bounded, for a
 * path may be hostile (`$.**.**.**`). A step over something long counts as many (work.ts), and what containers hold is looked at where it
 * is. Traps: what `.**` leads to ignores structural errors also in strict mode, as far as the
 * chain goes; `last` is that of the innermost subscripts that are being run, those before it in the chain included.
 */
import type { Decimal } from '../../../datum.ts';
import { SqlError } from '../../../errors.ts';
import { negate, truncate } from '../../decimal/arithmetic.ts';
import { decimalToInteger } from '../../decimal/text.ts';
import type { EvalContext } from '../../ir.ts';
import { getKey, type Json, type JsonObject, jsonObject } from '../value.ts';
import { calculate } from './arithmetic.ts';
import { type Item, isNumber, isObjectItem, itemType, PathError, soft } from './item.ts';
import { applyMethod, datetimeMethod, decimalMethod } from './methods.ts';
import { type BaseObject, ObjectIds } from './object_id.ts';
import { conditionOf } from './predicate.ts';
import { type Chain, isPredicate, type JsonPath, LAST_LEVEL, type Step } from './syntax.ts';
import { workOf } from './work.ts';

/** Nested runs; each takes up to four frames of the stack. */
const MAX_DEPTH = 600;
/** Steps of one evaluation, and comparisons: a second or two. */
const MAX_STEPS = 5_000_000;

/** What `$name` stands for, and the document that it is in; undefined: there is no such variable. */
export interface Variables {
  find(name: string): { item: Item; base: BaseObject } | undefined;
  /** How many documents the variables are. */
  documents: number;
}

type Kind<K extends Step['k']> = Extract<Step, { k: K }>;

export class Evaluator {
  readonly ctx: EvalContext;
  readonly lax: boolean;
  /** One of the _tz functions: the session's zone may be looked at. */
  readonly zoned: boolean;
  private readonly root: Json;
  private readonly vars: Variables;
  private lenient: boolean;
  /** Errors of the path are not told, by `silent` or within a condition. */
  private quiet: boolean;
  private current: Item;
  private arraySize = -1;
  private base: BaseObject;
  private made: number;
  private ids: ObjectIds | null = null;
  private depth = 0;
  private steps = 0;

  constructor(path: JsonPath, root: Json, vars: Variables, zoned: boolean, silent: boolean, ctx: EvalContext) {
    this.ctx = ctx;
    this.lax = path.lax;
    this.zoned = zoned;
    this.root = root;
    this.vars = vars;
    this.lenient = path.lax;
    this.quiet = silent;
    this.current = root;
    this.base = { root, id: 0 };
    this.made = 1 + vars.documents;
  }

  /** The results of a chain over the root, pushed to `found`; without it, whether there is one. */
  start(chain: Chain, found: Item[] | null): boolean {
    return this.run(chain, 0, this.root, found, this.lax);
  }

  /** The results of an operand. `unwrap`: in lax mode arrays among them are their items. */
  operand(chain: Chain, item: Item, unwrap: boolean): Item[] {
    const { base } = this;
    const found: Item[] = [];
    this.run(chain, 0, item, found, this.lax);
    this.base = base;
    if (!unwrap || !this.lax || !found.some(Array.isArray)) return found;
    const [one] = found;
    if (found.length === 1 && Array.isArray(one)) return one;
    const items: Item[] = [];
    for (const v of found) {
      if (!Array.isArray(v)) items.push(v);
      else {
        this.count(v.length);
        for (const inner of v) items.push(inner);
      }
    }
    return items;
  }

  /** Whether an operand has a result. */
  exists(chain: Chain, item: Item): boolean {
    const { base } = this;
    const any = this.lax ? this.run(chain, 0, item, null, true) : this.operand(chain, item, false).length > 0;
    this.base = base;
    return any;
  }

  /** What `attempt` gives; null when the path has an error there. */
  tolerant<T>(attempt: () => T): T | null {
    const { lenient, quiet, current, arraySize, base, depth } = this;
    this.quiet = true;
    try {
      return attempt();
    } catch (e) {
      if (!(e instanceof PathError)) throw e;
      this.lenient = lenient;
      this.current = current;
      this.arraySize = arraySize;
      this.base = base;
      this.depth = depth;
      return null;
    } finally {
      this.quiet = quiet;
    }
  }

  private run(chain: Chain, at: number, item: Item, found: Item[] | null, unwrap: boolean): boolean {
    if (++this.depth > MAX_DEPTH) throw new SqlError('54001', 'stack depth limit exceeded');
    const any = this.walk(chain, at, item, found, unwrap);
    this.depth--;
    return any;
  }

  /** Notes a step, or what is the work of some. */
  count(steps = 1): void {
    this.steps += steps;
    if (this.steps > MAX_STEPS) {
      throw new SqlError('54000', 'jsonpath takes too many steps', {
        detail: `An evaluation may take ${MAX_STEPS} steps.`,
      });
    }
  }

  private walk(chain: Chain, start: number, first: Item, found: Item[] | null, unwrapFirst: boolean): boolean {
    let item = first;
    let unwrap = unwrapFirst;
    for (let at = start; at < chain.length; at++) {
      this.count();
      const step = chain[at];
      // The steps that want no array take its items.
      if (unwrap && Array.isArray(item) && unwraps(step))
        return this.each(item, 0, item.length, chain, at, found, false);
      switch (step.k) {
        case 'root':
          item = this.root;
          this.base = { root: this.root, id: 0 };
          break;
        case 'current':
          item = this.current;
          break;
        case 'variable':
          item = this.variable(step.name);
          break;
        case 'literal':
          item = step.value;
          break;
        case 'last':
          item = { k: 'dec', m: BigInt(this.arraySize - 1), s: 0 };
          break;
        case 'key': {
          let value: Json | undefined;
          if (isObjectItem(item)) {
            this.count(item.entries.length >> 4);
            value = getKey(item, step.name);
          }
          if (value === undefined) {
            if (this.lenient) return false;
            throw isObjectItem(item)
              ? new PathError('2203A', `JSON object does not contain key "${step.name}"`)
              : new PathError('2203A', 'jsonpath member accessor can only be applied to an object');
          }
          item = value;
          break;
        }
        case 'anyKey':
          if (isObjectItem(item)) return this.each(item, 0, item.entries.length, chain, at + 1, found, this.lax);
          if (this.lenient) return false;
          throw new PathError('2203C', 'jsonpath wildcard member accessor can only be applied to an object');
        case 'anyItem':
          if (Array.isArray(item)) return this.each(item, 0, item.length, chain, at + 1, found, this.lax);
          if (this.lax) break;
          if (this.lenient) return false;
          throw new PathError('22039', 'jsonpath wildcard array accessor can only be applied to an array');
        case 'subscripts':
          if (!Array.isArray(item) && !this.lax) {
            if (this.lenient) return false;
            throw new PathError('22039', 'jsonpath array accessor can only be applied to an array');
          }
          return this.subscripts(step, item, chain, at + 1, found);
        case 'descend':
          return this.descend(step, item, chain, at + 1, found);
        case 'filter': {
          if (this.filter(step.condition, item)) break;
          return false;
        }
        case 'arithmetic': {
          const left = this.operand(step.left, item, true);
          const right = this.operand(step.right, item, true);
          this.count(workOf(left[0]) + workOf(right[0]));
          item = calculate(step.op, left, right);
          break;
        }
        case 'sign':
          return this.sign(step, item, chain, at + 1, found);
        case 'method':
          if (step.name === 'keyvalue') return this.keyValue(item, chain, at + 1, found);
          if (step.name !== 'size') {
            if (step.name !== 'type') this.count(workOf(item));
            item = step.name === 'type' ? itemType(item) : applyMethod(step.name, item);
            break;
          }
          if (!Array.isArray(item) && !this.lax) {
            if (this.lenient) return false;
            throw new PathError('22039', 'jsonpath item method .size() can only be applied to an array');
          }
          item = { k: 'dec', m: BigInt(Array.isArray(item) ? item.length : 1), s: 0 };
          break;
        case 'decimal':
          this.count(workOf(item));
          item = decimalMethod(step, item);
          break;
        case 'datetime':
          this.count(workOf(item));
          item = datetimeMethod(step, item, this.zoned, this.ctx);
          break;
        default:
          item = conditionOf(this, step, item);
      }
      unwrap = this.lax;
    }
    found?.push(item);
    return true;
  }

  /** What a container holds from place `from` to before `end`, one after the other. */
  private each(
    container: Container,
    from: number,
    end: number,
    chain: Chain,
    at: number,
    found: Item[] | null,
    unwrap: boolean,
  ): boolean {
    let any = false;
    for (let i = from; i < end; i++) {
      if (!this.run(chain, at, memberOf(container, i), found, unwrap)) continue;
      any = true;
      if (!found) break;
    }
    return any;
  }

  private filter(condition: Chain, item: Item): boolean {
    const { current, base } = this;
    this.current = item;
    const [predicate] = condition;
    if (!isPredicate(predicate)) throw new Error('a filter wants a predicate');
    const holds = conditionOf(this, predicate, item);
    this.current = current;
    this.base = base;
    return holds === true;
  }

  private variable(name: string): Item {
    const found = this.vars.find(name);
    if (!found) throw new SqlError('42704', `could not find jsonpath variable "${name}"`);
    this.base = found.base;
    return found.item;
  }

  private subscripts(step: Kind<'subscripts'>, item: Item, chain: Chain, at: number, found: Item[] | null): boolean {
    const outer = this.arraySize;
    const items = Array.isArray(item) ? item : [item];
    this.arraySize = items.length;
    let any = false;
    for (const { from, to } of step.list) {
      let low = this.subscript(from, item);
      let high = to ? this.subscript(to, item) : low;
      if (!this.lenient && (low < 0 || low > high || high >= items.length)) {
        throw new PathError('22033', 'jsonpath array subscript is out of bounds');
      }
      low = Math.max(low, 0);
      high = Math.min(high, items.length - 1);
      if (low <= high && this.each(items, low, high + 1, chain, at, found, this.lax)) any = true;
      if (any && !found) break;
    }
    this.arraySize = outer;
    return any;
  }

  private subscript(chain: Chain, item: Item): number {
    const found = this.operand(chain, item, false);
    const [n] = found;
    if (found.length !== 1 || !isNumber(n)) {
      throw new PathError('22033', 'jsonpath array subscript is not a single numeric value');
    }
    const outOfRange = () => new PathError('22033', 'jsonpath array subscript is out of integer range');
    return Number(soft(() => decimalToInteger(truncate(n, 0), 'integer'), outOfRange));
  }

  /** The item and what it holds, in the order of the text, from the first level to the last. */
  private descend(descend: Kind<'descend'>, top: Item, chain: Chain, at: number, found: Item[] | null): boolean {
    const { first, last } = descend;
    const { lenient } = this;
    this.lenient = true;
    let any = false;
    const leaves = first === LAST_LEVEL && last === LAST_LEVEL;
    // Lists of what is still to be done, one a level: a document may be deep.
    const stack: { container: Container; next: number }[] = [{ container: [top], next: 0 }];
    while (stack.length > 0) {
      const list = stack[stack.length - 1];
      if (list.next === sizeOf(list.container)) {
        stack.pop();
        continue;
      }
      this.count();
      const level = stack.length - 1;
      const item = memberOf(list.container, list.next++);
      const inner = containerOf(item);
      // The leaf at the top is not one of a level: PostgreSQL looks for those inside only.
      const wanted = level >= first || (leaves && level > 0 && inner === null);
      const step = () => this.run(chain, at, item, found, this.lax);
      // An error at the top that is not told is forgotten over what it holds, as in PostgreSQL.
      if (wanted && (level === 0 && inner && this.quiet ? this.tolerant(step) : step())) {
        any = true;
        if (!found) break;
      }
      if (inner && level < last) stack.push({ container: inner, next: 0 });
    }
    this.lenient = lenient;
    return any;
  }

  private sign(step: Kind<'sign'>, item: Item, chain: Chain, at: number, found: Item[] | null): boolean {
    let any = false;
    const last = at === chain.length;
    for (const n of this.operand(step.arg, item, true)) {
      if (!isNumber(n)) {
        if (!found && last) continue;
        throw new PathError('2203B', `operand of unary jsonpath operator ${step.op} is not a numeric value`);
      }
      if (!this.run(chain, at, step.op === '-' ? negate(n) : n, found, this.lax)) continue;
      any = true;
      if (!found) break;
    }
    return any;
  }

  private keyValue(item: Item, chain: Chain, at: number, found: Item[] | null): boolean {
    if (!isObjectItem(item)) {
      throw new PathError('2203C', 'jsonpath item method .keyvalue() can only be applied to an object');
    }
    const { base } = this;
    this.ids ??= new ObjectIds((steps) => this.count(steps));
    const id: Decimal = { k: 'dec', m: this.ids.of(item, base), s: 0 };
    let any = false;
    for (const [key, value] of item.entries) {
      const pair = jsonObject([
        ['id', id],
        ['key', key],
        ['value', value],
      ]);
      this.base = { root: pair, id: this.made++ };
      const one = this.run(chain, at, pair, found, this.lax);
      this.base = base;
      if (!one) continue;
      any = true;
      if (!found) break;
    }
    return any;
  }
}

type Container = Item[] | JsonObject;

/** The item if it holds others. */
function containerOf(item: Item): Container | null {
  return Array.isArray(item) || isObjectItem(item) ? item : null;
}

function sizeOf(container: Container): number {
  return Array.isArray(container) ? container.length : container.entries.length;
}

function memberOf(container: Container, at: number): Item {
  return Array.isArray(container) ? container[at] : container.entries[at][1];
}

/** Steps that take the items of an array instead of it. */
function unwraps(step: Step): boolean {
  switch (step.k) {
    case 'key':
    case 'anyKey':
    case 'filter':
    case 'decimal':
    case 'datetime':
      return true;
    case 'method':
      return step.name !== 'type' && step.name !== 'size';
    default:
      return false;
  }
}
