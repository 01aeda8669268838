/** `tidemark doctor DIR`: says what it finds, one line each; ends with 0 when all is well, 1 when something is damaged. */
import { initParser } from '../../planner/parse/parse.ts';
import { examine } from '../durable/doctor.ts';

const WORDS = { ok: 'ok      ', note: 'note    ', problem: 'DAMAGED ' };

export async function doctor(path: string): Promise<void> {
  await initParser();
  const findings = await examine(path);
  for (const { level, text } of findings) process.stdout.write(`${WORDS[level]}${text}\n`);
  const problems = findings.filter((finding) => finding.level === 'problem').length;
  process.stdout.write(problems === 0 ? 'healthy\n' : `${problems} problem${problems === 1 ? '' : 's'}\n`);
  if (problems > 0) process.exitCode = 1;
}
