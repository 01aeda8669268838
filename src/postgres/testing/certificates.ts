/** Certificates for tests, made by openssl: an authority, and what it signs. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** For `test(name, { skip })`. */
export const noOpenssl: string | false =
  spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is not installed';

export interface SignedPair {
  certFile: string;
  keyFile: string;
  cert: string;
  key: string;
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export class Authority {
  readonly certFile: string;
  readonly #keyFile: string;
  readonly #folder: string;

  constructor(folder: string, name = 'authority') {
    this.#folder = folder;
    this.certFile = join(folder, `${name}.crt`);
    this.#keyFile = join(folder, `${name}.key`);
    openssl(
      'req',
      '-x509',
      ...KEY,
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      this.#keyFile,
      '-out',
      this.certFile,
    );
  }

  /** For localhost and 127.0.0.1, in files `name`.crt and .key. */
  sign(name: string): SignedPair {
    const file = (ending: string) => join(this.#folder, `${name}.${ending}`);
    const [certFile, keyFile] = [file('crt'), file('key')];
    openssl('req', '-new', ...KEY, '-subj', `/CN=${name}`, '-keyout', keyFile, '-out', file('csr'));
    writeFileSync(file('ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
    const by = ['-CA', this.certFile, '-CAkey', this.#keyFile, '-CAcreateserial', '-days', '2'];
    openssl('x509', '-req', ...by, '-in', file('csr'), '-extfile', file('ext'), '-out', certFile);
    return { certFile, keyFile, cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
  }
}
