import { accountOf, command, loggedIn } from '../command.js';
import { refusals } from '../refusals.js';
import { readStatusItems, recentIn, statusLine, usesOfStatus } from '../status-items.js';
import { readName } from './folders.js';

/** RFC 9051 6.3.11. */
export const status = command({
  name: 'STATUS',
  states: loggedIn,
  capability: ['STATUS=SIZE'],
  grammar(scanner, context) {
    const name = readName(scanner, context);
    scanner.space();
    return { name, items: readStatusItems(scanner) };
  },
  uses: ({ items }) => usesOfStatus(items),
  async run({ name, items }, context) {
    if (items.includes('HIGHESTMODSEQ')) context.enable('CONDSTORE');
    const { mailstore } = context.services;
    const folders = await mailstore.namedFolders(accountOf(context).mailboxId);
    const named = folders.find((each) => each.name === name && each.selectable);
    const folder = named && (await mailstore.counted(named));
    if (folder === undefined) throw refusals.noSuchFolder();
    const recent = await recentIn(folder, items, context);
    const { appendLimit } = context.connection;
    context.untagged(statusLine(folder, items, { recent, appendLimit }, context.enabled.has('UTF8=ACCEPT')));
    return { text: 'Fatto / Done' };
  },
});
