/**
 * Prometheus' text format, version 0.0.4: families of samples, written as
 *
 *   # HELP tidemark_view_rows Rows of the view now.
 *   # TYPE tidemark_view_rows gauge
 *   tidemark_view_rows{schema="public",view="totals"} 10
 */
export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export type Labels = Record<string, string>;

/** A counter only grows while the server runs; its name ends in _total. */
export type FamilyType = 'counter' | 'gauge';

export interface Sample {
  labels: Labels;
  value: number | bigint;
}

export interface Family {
  name: string;
  type: FamilyType;
  help: string;
  samples: Sample[];
}

/** Of one family; empty without samples. */
export function exposition({ name, type, help, samples }: Family): string {
  if (samples.length === 0) return '';
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${samples.map((s) => line(name, s)).join('')}`;
}

function line(name: string, { labels, value }: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeValue(text)}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}\n`;
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function escapeValue(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}
