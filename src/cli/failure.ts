/** What the command says on standard error when it fails: the message, and below it what else the error knows. */
import { SqlError } from '../../operators/errors.ts';

export function failureText(error: unknown): string {
  const lines = [`tidemark: ${error instanceof Error ? error.message : String(error)}`];
  if (error instanceof SqlError) {
    const { detail, hint } = error.fields;
    if (detail !== undefined) lines.push(`DETAIL:  ${detail}`);
    if (hint !== undefined) lines.push(`HINT:  ${hint}`);
  }
  return `${lines.join('\n')}\n`;
}
