/**
 * What a connection that began with `replication=database` can do besides SQL: the commands of command.ts, in the simple protocol.
 *
 * Durable slots are the engine's; temporary ones are the session's, and go with it. A slot has one reader at a time.
 */
import { SqlError } from '../../../operators/errors.ts';
import { OID } from '../../../operators/types.ts';
import type { Replication, ResultColumn } from '../../engine.ts';
import { checkUnread } from '../../runtime/replication_slots.ts';
import type { Cancellation } from '../session/cancellation.ts';
import type { Session } from '../session/session.ts';
import { dataRow, rowDescription, writeCommandComplete } from '../wire/control_message.ts';
import { nameList, type ReplicationCommand, replicationCommand } from './command.ts';
import { endOf, lsnText } from './lsn.ts';
import { sendChanges } from './walsender.ts';

type Of<K extends ReplicationCommand['k']> = Extract<ReplicationCommand, { k: K }>;

export class ReplicationSession {
  readonly #session: Session;
  readonly #replication: Replication;
  readonly #temporary = new Map<string, bigint>();

  constructor(session: Session, replication: Replication) {
    this.#session = session;
    this.#replication = replication;
  }

  /** The tick up to which all is confirmed; null: no such slot. */
  position(slot: string): bigint | null {
    return this.#temporary.get(slot) ?? this.#replication.position(slot);
  }

  confirm(slot: string, upTo: bigint): void {
    const temporary = this.#temporary.get(slot);
    if (temporary === undefined) this.#replication.confirm(slot, upTo);
    else if (upTo > temporary && upTo <= this.#replication.durable) this.#temporary.set(slot, upTo);
  }

  /** Runs a command; ReadyForQuery is the caller's. */
  async run(sql: string, cancellation: Cancellation): Promise<void> {
    const command = replicationCommand(sql);
    switch (command.k) {
      case 'identify_system':
        this.#identify();
        return;
      case 'create_slot':
        await this.#create(command);
        return;
      case 'drop_slot':
        await this.#drop(command.name);
        return;
      case 'start':
        await this.#start(command, cancellation);
    }
  }

  #identify(): void {
    const { identity, durable } = this.#replication;
    const { database } = this.#session;
    const columns = [column('systemid'), column('timeline', OID.int4), column('xlogpos'), column('dbname')];
    this.#row(columns, [identity, '1', lsnText(endOf(durable)), database], 'IDENTIFY_SYSTEM');
  }

  async #create({ name, temporary, plugin, snapshot }: Of<'create_slot'>): Promise<void> {
    if (plugin !== 'pgoutput')
      throw new SqlError('42704', `output plugin "${plugin}" does not exist`, { hint: 'There is pgoutput.' });
    if (this.position(name) !== null) throw new SqlError('42710', `replication slot "${name}" already exists`);
    const { block } = this.#session;
    if (snapshot === 'use' && !block.explicit)
      throw new SqlError('0A000', "CREATE_REPLICATION_SLOT ... (SNAPSHOT 'use') must be called inside a transaction");
    if (snapshot === 'use') block.transaction.pin?.();
    const at = (snapshot === 'use' ? block.transaction.shownTick : undefined) ?? this.#replication.durable;
    if (temporary) {
      this.#replication.checkName(name);
      this.#temporary.set(name, at);
    } else await this.#replication.create(name, at);
    const columns = ['slot_name', 'consistent_point', 'snapshot_name', 'output_plugin'].map((label) => column(label));
    this.#row(columns, [name, lsnText(endOf(at)), null, plugin], 'CREATE_REPLICATION_SLOT');
  }

  async #drop(name: string): Promise<void> {
    checkUnread(this.#replication, name);
    if (!this.#temporary.delete(name)) {
      if (this.#replication.position(name) === null) throw missing(name);
      await this.#replication.drop(name);
    }
    writeCommandComplete(this.#session.connection.out, 'DROP_REPLICATION_SLOT');
  }

  async #start({ slot, from, options }: Of<'start'>, cancellation: Cancellation): Promise<void> {
    const { block, pid } = this.#session;
    if (block.explicit) throw new SqlError('25001', 'START_REPLICATION cannot run inside a transaction block');
    if (this.position(slot) === null) throw missing(slot);
    checkUnread(this.#replication, slot);
    const version = Number(options.get('proto_version') ?? Number.NaN);
    if (!(version >= 1)) throw new SqlError('22023', 'option "proto_version" missing, or not a number');
    const names = options.get('publication_names');
    if (names === undefined) throw new SqlError('22023', 'option "publication_names" missing');
    const { readers } = this.#replication;
    readers.set(slot, pid);
    try {
      await sendChanges(this.#session, this.#replication, { slot, from, publications: nameList(names) }, cancellation);
    } finally {
      readers.delete(slot);
    }
    const { out } = this.#session.connection;
    writeCommandComplete(out, 'COPY 0');
    // Twice, as PostgreSQL does: its own client waits for the second.
    writeCommandComplete(out, 'START_REPLICATION');
  }

  #row(columns: ResultColumn[], values: (string | null)[], tag: string): void {
    const { out } = this.#session.connection;
    out.messages(rowDescription(columns, []));
    out.messages(dataRow(values));
    writeCommandComplete(out, tag);
  }
}

const column = (name: string, oid: number = OID.text): ResultColumn => ({
  name,
  type: { oid, typmod: -1 },
  relation: 0,
  attnum: 0,
});

const missing = (name: string): SqlError => new SqlError('42704', `replication slot "${name}" does not exist`);
