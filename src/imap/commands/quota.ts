import { writeMailboxName } from '../../wire/imap/index.js';
import { accountOf, type Context, command, loggedIn } from '../command.js';
import { refusals } from '../refusals.js';
import { readName } from './folders.js';

/** RFC 9208: one root for the whole mailbox, in units of 1024 octets. */
const ROOT = '""';
/** Storage is all there is to tell of. */
const QUOTA = ['QUOTA', 'QUOTA=RES-STORAGE'];

async function tellQuota(context: Context): Promise<void> {
  const usage = await context.services.mailstore.usage(accountOf(context).mailboxId);
  if (usage === undefined) throw refusals.noSuchFolder();
  context.untagged(
    `QUOTA ${ROOT} (STORAGE ${Math.ceil(usage.used / 1024)} ${Math.floor(usage.quota / 1024)})`,
  );
}

export const getQuota = command({
  name: 'GETQUOTA',
  states: loggedIn,
  comesWith: QUOTA,
  capability: QUOTA,
  grammar(scanner) {
    scanner.space();
    return scanner.astring().toString('latin1');
  },
  async run(root, context) {
    if (root !== '') throw refusals.noSuchQuota();
    await tellQuota(context);
    return { text: 'Fatto / Done' };
  },
});

export const getQuotaRoot = command({
  name: 'GETQUOTAROOT',
  states: loggedIn,
  comesWith: QUOTA,
  grammar: readName,
  async run(name, context) {
    context.untagged(`QUOTAROOT ${writeMailboxName(name, context.enabled.has('UTF8=ACCEPT'))} ${ROOT}`);
    await tellQuota(context);
    return { text: 'Fatto / Done' };
  },
});
