import { type FileHandle, open, rm } from 'node:fs/promises';
import { userInfo } from 'node:os';
import type { Quarantine } from '../../antivirus/index.js';
import type { QuarantinedRow } from '../../storage/index.js';
import { CommandError, type Run } from '../command.js';
import { withStore } from '../store.js';
import { entryNamed } from './entry.js';

/** Writes an infected message out as it came. That it leaves is registered before it does. */
export const run: Run = (call) =>
  withStore(call, async ({ config, store }) => {
    const row = await entryNamed(store, call.argument(0));
    const { Quarantine, QuarantineKeys } = await import('../../antivirus/index.js');
    const keys = await QuarantineKeys.read(config.quarantine.key);
    if (keys.find(row.keyId) === undefined) {
      throw new CommandError(
        `${row.id} lies under the key ${row.keyId}, which is not in ${config.quarantine.key}`,
      );
    }
    const out = call.option('out') ?? '';
    // Never over another file: what is written is a virus.
    const file = await open(out, 'wx', 0o600);
    try {
      await store.write('registerExport', {
        id: row.id,
        event: {
          identificativo: row.identificativo,
          at: Date.now(),
          event: 'estrazione-quarantena',
          sender: row.sender,
          recipients: row.recipients,
          subject: row.subject,
          related: [],
          gestore: config.provider.name,
          detail: { quarantena: row.id, virus: row.virus, utente: userInfo().username },
        },
      });
      await writeOut(new Quarantine({ store, keys, spool: config.paths.spool }), row, file);
    } catch (error) {
      // Half a message, or another one, must not be taken for it.
      await rm(out, { force: true });
      throw error;
    } finally {
      await file.close();
    }
    call.print(`${out}: the message as it came, with ${row.virus} in it`);
    return 0;
  });

async function writeOut(quarantine: Quarantine, row: QuarantinedRow, file: FileHandle): Promise<void> {
  for await (const chunk of quarantine.message(row)) await file.writeFile(chunk);
  await file.sync();
}
