/** TRUNCATE: all rows of tables as the transaction sees them, taken away in the transaction; with CASCADE also those of tables whose foreign keys reference them. */
import { Arena } from '../../operators/batch/arena.ts';
import { budget } from '../../operators/batch/budget.ts';
import { pages } from '../../operators/batch/pages.ts';
import { SqlError } from '../../operators/errors.ts';
import type { Relation } from '../../planner/catalog_reader.ts';
import type { Statement } from '../../planner/parse/ast.ts';
import { TRUNCATE } from '../catalog/privileges.ts';
import type { SessionContext } from '../engine.ts';
import { checkNeeds } from './access.ts';
import type { TidemarkEngine } from './engine.ts';
import { checkWritable, modifyContext } from './modifications.ts';
import type { ModifyContext } from './modify.ts';
import { relationNamed } from './names.ts';
import { ownedSequences } from './owned_sequences.ts';
import { relationRows } from './reads.ts';
import { concat } from './signed_batches.ts';

export function truncate(
  engine: TidemarkEngine,
  statement: Extract<Statement, { k: 'truncate' }>,
  session: SessionContext,
): void {
  const relations = statement.names.map((named) => {
    const relation = relationNamed(engine, named, session);
    if (relation.kind === 'sequence') throw new SqlError('42809', `"${named.name}" is not a table`);
    checkWritable(engine, relation, 'delete');
    checkTruncate(engine, relation, session);
    return relation;
  });
  for (const { oid, name } of relations) {
    for (const { table } of engine.catalog.referencing(oid, session.searchPath)) {
      if (relations.includes(table.relation)) continue;
      if (!statement.cascade) {
        throw new SqlError('0A000', 'cannot truncate a table referenced in a foreign key constraint', {
          detail: `Table "${table.name}" references "${name}".`,
          hint: `Truncate table "${table.name}" at the same time, or use TRUNCATE ... CASCADE.`,
        });
      }
      checkTruncate(engine, table.relation, session);
      session.notice('NOTICE', '00000', `truncate cascades to table "${table.name}"`);
      relations.push(table.relation);
    }
  }
  for (const relation of relations) {
    deleteAll(relation, modifyContext(engine, relation, session));
    if (!statement.restartIdentity) continue;
    for (const { oid } of ownedSequences(engine, relation.oid)) {
      const sequence = engine.sequences.get(oid);
      if (sequence !== undefined) engine.transactionOf(session).restart(sequence);
    }
  }
}

function checkTruncate(engine: TidemarkEngine, { oid }: Relation, session: SessionContext): void {
  checkNeeds(engine, [{ relation: oid, privileges: TRUNCATE, view: null }], session);
}

function deleteAll(relation: Relation, at: ModifyContext): void {
  at.transaction.keepTick();
  const arena = new Arena();
  const narrow = budget.widen(pages.usedBytes);
  try {
    const rows = relationRows(at, arena)(relation.oid);
    if (rows.n > 0) at.transaction.write(relation.oid, concat([{ batch: rows, sign: -1 }], arena));
  } finally {
    narrow();
    arena.release();
  }
}
