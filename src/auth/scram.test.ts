/** Against the exchange of RFC 7677, and that of a client written here. */
import assert from 'node:assert/strict';
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { test } from 'node:test';
import { withoutPasswords } from './hidden_password.ts';
import { saslprep } from './saslprep.ts';
import { mockVerifier, ScramServer } from './scram.ts';
import { isPassword, keptPassword, parseVerifier, type Verifier } from './verifier.ts';

const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest();

function verifierOf(password: string, salt: Buffer, iterations: number): Verifier {
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const storedKey = createHash('sha256').update(hmac(salted, 'Client Key')).digest();
  return { iterations, salt, storedKey, serverKey: hmac(salted, 'Server Key') };
}

const SALT = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
const CLIENT_FIRST = 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO';
const SERVER_FIRST = 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096';
const NONCE = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
const CLIENT_LAST = `c=biws,r=${NONCE},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`;

const server = (verifier = verifierOf('pencil', SALT, 4096)) =>
  new ScramServer(verifier, '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0');

test('the exchange of RFC 7677', () => {
  const scram = server();
  assert.equal(scram.first(CLIENT_FIRST), SERVER_FIRST);
  assert.equal(scram.last(CLIENT_LAST), 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
});

test("another password, or nobody's", () => {
  for (const verifier of [verifierOf('pencils', SALT, 4096), mockVerifier('user', Buffer.from('secret'))]) {
    const scram = server(verifier);
    scram.first(CLIENT_FIRST);
    assert.equal(scram.last(CLIENT_LAST), null);
  }
  const [a, b] = [mockVerifier('user', Buffer.from('secret')), mockVerifier('user', Buffer.from('secret'))];
  assert.deepEqual(a.salt, b.salt);
});

test('what is not said as it must be is refused', () => {
  for (const message of [
    '',
    'n,,',
    'n,,r=x',
    'p=tls-unique,,n=,r=x',
    'x,,n=,r=x',
    'n,a=me,n=,r=x',
    'n,,m=ext,n=,r=x',
    'n,,n=,r=\u0001',
  ])
    assert.throws(() => server().first(message), { name: 'SqlError' }, message);
  for (const message of [
    '',
    CLIENT_LAST.replace('biws', 'eSws'),
    CLIENT_LAST.replace('k0,p', 'k1,p'),
    `c=biws,r=${NONCE}`,
    `c=biws,r=${NONCE},p=AAAA`,
    `c=biws,r=${NONCE},p=!`,
  ]) {
    const scram = server();
    scram.first(CLIENT_FIRST);
    assert.throws(() => scram.last(message), { sqlstate: '08P01' }, message);
  }
});

test('verifiers', () => {
  const kept = keptPassword('geheim') ?? '';
  assert.notEqual(parseVerifier(kept), null);
  assert.equal(keptPassword(kept), kept);
  assert.ok(isPassword('geheim', kept));
  assert.ok(!isPassword('Geheim', kept));
  assert.equal(keptPassword(''), null);
  assert.equal(keptPassword(null), null);
  assert.equal(parseVerifier(kept.replace('4096', '0')), null);
  assert.equal(parseVerifier(`${kept}x`), null);
  // Not of the right length: it is a password that looks like one.
  assert.notEqual(keptPassword('SCRAM-SHA-256$4096:AAAA$AAAA:AAAA'), 'SCRAM-SHA-256$4096:AAAA$AAAA:AAAA');
});

test('the examples of RFC 4013', () => {
  assert.equal(saslprep('I\u00adX'), 'IX');
  assert.equal(saslprep('user'), 'user');
  assert.equal(saslprep('\u00aa'), 'a');
  assert.equal(saslprep('\u2168'), 'IX');
  // Forbidden, or of two directions: as they are.
  assert.equal(saslprep('\u2168\u0007'), '\u2168\u0007');
  assert.equal(saslprep('\u0627\u2168'), '\u0627\u2168');
  assert.equal(saslprep('\u0627\u0628'), '\u0627\u0628');
  assert.equal(saslprep('a\u00a0b'), 'a b');
});

test('statements without their passwords', () => {
  assert.equal(withoutPasswords("create user a password 'x'; select 1"), 'create user a password ...');
  assert.equal(
    withoutPasswords("SELECT 1; ALTER\n-- a\nROLE b Encrypted PASSWORD 'x'"),
    'SELECT 1; ALTER\n-- a\nROLE b Encrypted PASSWORD ...',
  );
  assert.equal(withoutPasswords('SELECT password FROM users'), 'SELECT password FROM users');
  const shown = "CREATE TABLE t (a int) WITH (connector = 'kafka', sasl_password = ..., topic = 't')";
  for (const value of ["'it''s'", "E'it\\'s'", "/* ' */ 'x'", "U&'x'", '$$x$$', "$a$x$$'$a$"]) {
    assert.equal(withoutPasswords(shown.replace('...', () => value)).replace("/* ' */ ", ''), shown);
  }
  for (const head of ['DO', 'do language plpgsql', 'DO /* x */'])
    assert.equal(
      withoutPasswords(
        `${head} $$ DECLARE p text := 'x'; BEGIN EXECUTE format('CREATE ROLE a PASSWORD %L', p); END $$`,
      ),
      'DO ...',
    );
  assert.equal(withoutPasswords(`SELECT 1; DO 'BEGIN EXECUTE ''a'' || ''password x'' ; END'`), 'SELECT 1; DO ...');
  const upsert = 'INSERT INTO users VALUES (1) ON CONFLICT (id) DO UPDATE SET password = 2';
  assert.equal(withoutPasswords(upsert), upsert);
});
