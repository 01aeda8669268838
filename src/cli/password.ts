/** --auth and --password-file: the superuser's password, and whether anybody can come in at all. */
import { readFileSync } from 'node:fs';
import { SqlError } from '../../operators/errors.ts';
import { quoteLiteral } from '../../operators/expr/text/quote.ts';
import { isPassword, keptPassword } from '../auth/verifier.ts';
import { BOOTSTRAP, BOOTSTRAP_NAME } from '../catalog/roles.ts';
import type { TidemarkEngine } from '../runtime/engine.ts';
import { runScript } from '../runtime/script.ts';

/** The file's text without the end of its line; a clear error when there is none. */
export function readPassword(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new SqlError('58P01', `cannot read --password-file "${path}": ${(error as Error).message}`);
  }
  const password = text.replace(/\r?\n$/, '');
  if (password === '') throw new SqlError('22023', `the --password-file "${path}" is empty`);
  return password;
}

/** Once for each password: a start with the same one changes nothing. */
export async function setSuperuserPassword(engine: TidemarkEngine, password: string): Promise<void> {
  const known = engine.roles.get(BOOTSTRAP)?.password ?? null;
  if (known !== null && isPassword(password, known)) return;
  const kept = keptPassword(password) ?? '';
  await runScript(engine, `ALTER ROLE ${BOOTSTRAP_NAME} PASSWORD ${quoteLiteral(kept)}`);
}

/** Throws when nobody could come in who may let others in. */
export function checkSomebody(engine: TidemarkEngine): void {
  if (engine.roles.all().some(({ superuser, login, password }) => superuser && login && password !== null)) return;
  throw new SqlError('28000', '--auth scram needs a superuser with a password, and there is none', {
    hint: `--password-file FILE sets that of the superuser ${BOOTSTRAP_NAME}.`,
  });
}
