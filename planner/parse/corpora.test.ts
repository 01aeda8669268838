/** Statements that real clients send and the Nexmark queries: all of them parse. Skipped where those files are not at hand. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SqlError } from '../../operators/errors.ts';
import { splitStatements } from './dialect/split.ts';
import { parseStatement } from './dialect/statement.ts';
import { initParser, parse } from './parse.ts';

before(initParser);

const shared = fileURLToPath(new URL('../../../shared/', import.meta.url));

/** What is refused and why: statements that Tidemark does not have, and commands of the replication protocol, which are not SQL (not
 *  even their log positions 0/2A41250 are tokens of it). */
const REFUSED =
  /^(DO|CREATE DATABASE) is not supported$|^trailing junk .* at or near "[0-9A-F]+"$|at or near "(CREATE_REPLICATION_SLOT|START_REPLICATION|IDENTIFY_SYSTEM|DROP_REPLICATION_SLOT|READ_REPLICATION_SLOT|TIMELINE_HISTORY|ALTER_REPLICATION_SLOT)"$/;

function check(file: string, work: () => unknown): void {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof SqlError, `${file}: ${error}`);
    assert.match(error.message, REFUSED, file);
  }
}

for (const folder of ['nexmark', 'client-queries']) {
  const path = `${shared}${folder}/`;
  const skip = existsSync(path) ? false : 'no such files here';
  test(`${folder}: every statement parses`, { skip }, () => {
    for (const file of readdirSync(path)) {
      if (!file.endsWith('.sql')) continue;
      const sql = readFileSync(path + file, 'utf8');
      check(file, () => parse(sql));
      // A refused statement must not hide those after it.
      check(file, () => {
        for (const piece of splitStatements(sql)) check(`${file}: ${piece.source.text}`, () => parseStatement(piece));
      });
    }
  });
}
