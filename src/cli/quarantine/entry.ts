import type { QuarantinedRow, Store } from '../../storage/index.js';
import { CommandError } from '../command.js';

/** As `--json` prints it. Nothing of it needs the key. */
export const quarantineView = (row: QuarantinedRow) => ({
  id: row.id,
  at: new Date(row.at).toISOString(),
  kind: row.kind,
  identificativo: row.identificativo,
  gestore: row.gestore,
  sender: row.sender,
  recipients: row.recipients,
  subject: row.subject,
  virus: row.virus,
  engine: row.engine,
  sha256: row.sha256,
  size: row.size,
  keyId: row.keyId,
});

/** @throws CommandError when it is not there */
export async function entryNamed(store: Store, id: string): Promise<QuarantinedRow> {
  const row = await store.read('findQuarantined', { id });
  if (row === undefined) throw new CommandError(`${id} is not in the quarantine`);
  return row;
}
