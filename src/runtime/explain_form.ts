/** What EXPLAIN says as lines, or as PostgreSQL's FORMAT JSON for programs, and its options. Costs are not estimated, so none are shown (as with COSTS OFF). */
import { SqlError, unsupported } from '../../operators/errors.ts';
import type { Statement } from '../../planner/parse/ast.ts';
import { type ExplainedNode, explainedLines } from '../../planner/physical/index.ts';

/** What an operator of a live view measured: under FIGURES, what is not there is left out or ''. */
export interface Figures {
  name: string;
  cells: (number | bigint | string)[];
}

export interface Explanation {
  root: ExplainedNode;
  /** Of a live view, with ANALYZE. */
  figures: Figures[] | null;
  /** Milliseconds. */
  times?: { planning: number; execution: number };
}

const FIGURES = ['rows in', 'rows out', 'state rows', 'state bytes', 'cold bytes', 'ns per row', 'views'];

export interface ExplainOptions {
  analyze: boolean;
  format: 'text' | 'json';
  /** Times are shown. */
  summary: boolean;
}

const FLAGS = [
  'analyze',
  'verbose',
  'costs',
  'settings',
  'generic_plan',
  'buffers',
  'wal',
  'timing',
  'summary',
  'memory',
];
const NEED_ANALYZE = ['wal', 'timing'];

export function explainOptions({ analyze, options }: Extract<Statement, { k: 'explain' }>): ExplainOptions {
  const found: ExplainOptions = { analyze, format: 'text', summary: true };
  for (const { name, value } of options) {
    if (name === 'format') found.format = formatOf(value);
    else if (!FLAGS.includes(name)) throw new SqlError('42601', `unrecognized EXPLAIN option "${name}"`);
    else {
      const isOn = flagOf(name, value);
      if (name === 'summary') found.summary = isOn;
      if (isOn && !analyze && NEED_ANALYZE.includes(name))
        throw new SqlError('22023', `EXPLAIN option ${name.toUpperCase()} requires ANALYZE`);
    }
  }
  return found;
}

function flagOf(name: string, value: string): boolean {
  if (/^(true|on|1|)$/i.test(value)) return true;
  if (/^(false|off|0)$/i.test(value)) return false;
  throw new SqlError('42601', `${name} requires a Boolean value`);
}

function formatOf(value: string): 'text' | 'json' {
  const format = value.toLowerCase();
  if (format === 'text' || format === 'json') return format;
  if (format === 'xml' || format === 'yaml') throw unsupported(`EXPLAIN (FORMAT ${format.toUpperCase()})`);
  throw new SqlError('22023', `unrecognized value for EXPLAIN option "format": "${value}"`);
}

export function linesOf({ root, figures, times }: Explanation): string[] {
  const lines = explainedLines(root);
  if (figures !== null) {
    lines.push('', line('operator', FIGURES));
    for (const { name, cells } of figures) lines.push(line(name, cells));
  }
  if (times !== undefined) {
    lines.push(`Planning Time: ${times.planning.toFixed(3)} ms`, `Execution Time: ${times.execution.toFixed(3)} ms`);
  }
  return lines;
}

function line(name: string, cells: Figures['cells']): string {
  return `${name.padEnd(20)} ${cells.map((n) => String(n).padStart(12)).join(' ')}`;
}

export function jsonOf({ root, figures, times }: Explanation): string {
  const all = {
    Plan: objectOf(root),
    ...(figures === null ? {} : { Operators: figures.map(({ name, cells }) => ({ Operator: name, ...named(cells) })) }),
    ...(times === undefined
      ? {}
      : { 'Planning Time': rounded(times.planning), 'Execution Time': rounded(times.execution) }),
  };
  return JSON.stringify([all], null, 2);
}

function objectOf({ text, notes, inputs, fields }: ExplainedNode): object {
  return {
    ...fields,
    Description: text,
    ...(notes.length === 0 ? {} : { Notes: notes }),
    ...(inputs.length === 0 ? {} : { Plans: inputs.map(objectOf) }),
  };
}

function named(cells: Figures['cells']): Record<string, number> {
  return Object.fromEntries(cells.flatMap((cell, i) => (cell === '' ? [] : [[FIGURES[i], Number(cell)]])));
}

const rounded = (ms: number): number => Math.round(ms * 1000) / 1000;
