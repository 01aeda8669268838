/**
 * Paths as text: keys and variables quoted, one blank around operators, parentheses where precedence asks for them.
 *
 *   $.a[ 0 to last ]?(@.b>1&&!exists(@.c))     $."a"[0 to last]?(@."b" > 1 && !(exists (@."c")))
 *
 * Two forms that differ little. What is shown is PostgreSQL's. What is stored, the jsonpath datum, can be read again whatever the path
 * is: `((a || b) || c)` of hundreds is no nest of parentheses, and what a step follows is in parentheses if it must be.
 */
import { decimalToText } from '../../decimal/text.ts';
import { quoteJson } from '../value.ts';
import { type Chain, isPredicate, type JsonPath, LAST_LEVEL, type Step } from './syntax.ts';

/** The path as PostgreSQL shows it. */
export function pathText(path: JsonPath): string {
  return new Printer(false).path(path);
}

/** The path as it is stored. */
export function pathDatum(path: JsonPath): string {
  return new Printer(true).path(path);
}

/** How tightly an operator binds; what stands beside like_regex is always closed. */
function priority(step: Step): number {
  switch (step.k) {
    case 'or':
      return 0;
    case 'and':
      return 1;
    case 'compare':
    case 'startsWith':
      return 2;
    case 'arithmetic':
      return step.op === '+' || step.op === '-' ? 3 : 4;
    case 'sign':
      return 5;
    default:
      return 6;
  }
}

const level = (n: number): string => (n === LAST_LEVEL ? 'last' : String(n));

class Printer {
  private readonly stored: boolean;

  constructor(stored: boolean) {
    this.stored = stored;
  }

  path(path: JsonPath): string {
    return `${path.lax ? '' : 'strict '}${this.chainText(path.chain, true)}`;
  }

  /** `brackets`: the chain's start is an operand, or the whole path. */
  private chainText(chain: Chain, brackets: boolean): string {
    const [start, ...steps] = chain;
    return this.startText(start, brackets, steps.length > 0) + steps.map((s) => this.stepText(s)).join('');
  }

  /** An operand of `parent`: in parentheses unless it binds more tightly. */
  private operand(chain: Chain, parent: Step): string {
    return this.chainText(chain, priority(chain[0]) <= priority(parent));
  }

  private startText(start: Step, brackets: boolean, followed: boolean): string {
    const text = this.bareStart(start);
    const operator = priority(start) < 6 || start.k === 'likeRegex';
    const number = start.k === 'literal' && typeof start.value === 'object' && start.value !== null;
    // PostgreSQL leaves out parentheses that a step makes necessary.
    const closed = number || (this.stored && (operator || isPredicate(start)));
    return (operator && brackets) || (closed && followed) ? `(${text})` : text;
  }

  private bareStart(start: Step): string {
    switch (start.k) {
      case 'root':
        return '$';
      case 'current':
        return '@';
      case 'last':
        return 'last';
      case 'variable':
        return `$${quoteJson(start.name)}`;
      case 'literal': {
        const { value } = start;
        if (typeof value === 'string') return quoteJson(value);
        return value === null || typeof value === 'boolean' ? String(value) : decimalToText(value);
      }
      case 'and':
      case 'or': {
        const sign = start.k === 'and' ? '&&' : '||';
        const [first, ...rest] = start.args.map((arg) => this.operand(arg, start));
        if (this.stored) return [first, ...rest].join(` ${sign} `);
        return rest.reduce((left, arg, i) => `${i === 0 ? left : `(${left})`} ${sign} ${arg}`, first);
      }
      case 'not':
        return `!(${this.chainText(start.arg, false)})`;
      case 'isUnknown':
        return `(${this.chainText(start.arg, false)}) is unknown`;
      case 'exists':
        return `exists (${this.chainText(start.arg, false)})`;
      case 'compare':
      case 'arithmetic':
        return `${this.operand(start.left, start)} ${start.op} ${this.operand(start.right, start)}`;
      case 'sign':
        return `${start.op}${this.operand(start.arg, start)}`;
      case 'startsWith':
        return `${this.operand(start.arg, start)} starts with ${this.operand(start.prefix, start)}`;
      case 'likeRegex': {
        const flags = start.flags === '' ? '' : ` flag "${start.flags}"`;
        return `${this.operand(start.arg, start)} like_regex ${quoteJson(start.pattern)}${flags}`;
      }
      default:
        throw new Error(`a path cannot start with ${start.k}`);
    }
  }

  private stepText(step: Step): string {
    switch (step.k) {
      case 'key':
        return `.${quoteJson(step.name)}`;
      case 'anyKey':
        return '.*';
      case 'anyItem':
        return '[*]';
      case 'subscripts': {
        const list = step.list.map(
          ({ from, to }) => this.chainText(from, false) + (to === null ? '' : ` to ${this.chainText(to, false)}`),
        );
        return `[${list.join(',')}]`;
      }
      case 'descend': {
        const { first, last } = step;
        if (first === 0 && last === LAST_LEVEL) return '.**';
        return first === last ? `.**{${level(first)}}` : `.**{${level(first)} to ${level(last)}}`;
      }
      case 'filter':
        return `?(${this.chainText(step.condition, false)})`;
      case 'method':
        return `.${step.name}()`;
      case 'decimal': {
        const list = [step.precision, step.scale].flatMap((n) => (n ? [decimalToText(n)] : []));
        return `.decimal(${list.join(',')})`;
      }
      case 'datetime': {
        const { template, precision } = step;
        return `.${step.method}(${template === null ? (precision ? decimalToText(precision) : '') : quoteJson(template)})`;
      }
      default:
        throw new Error(`${step.k} is no step of a path`);
    }
  }
}
