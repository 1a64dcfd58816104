/** Making, removing and renaming folders (RFC 9051 6.3.4 to 6.3.8; RFC 6154 for CREATE ... USE). */
import type { SpecialUse } from '../../storage/index.js';
import { readMailboxName, type Scanner } from '../../wire/imap/index.js';
import { accountOf, type Context, command, loggedIn } from '../command.js';
import { checkedName } from '../folder-name.js';
import { refusals } from '../refusals.js';

const DONE = { text: 'Fatto / Done' } as const;

export function readName(scanner: Scanner, { enabled }: Context): string {
  scanner.space();
  return readMailboxName(scanner.astring(), enabled.has('UTF8=ACCEPT'));
}

const USES: Readonly<Record<string, SpecialUse>> = {
  '\\SENT': 'sent',
  '\\DRAFTS': 'drafts',
  '\\TRASH': 'trash',
  '\\ARCHIVE': 'archive',
};

export const create = command({
  name: 'CREATE',
  states: loggedIn,
  capability: ['SPECIAL-USE', 'CREATE-SPECIAL-USE'],
  grammar(scanner, context) {
    const name = readName(scanner, context);
    let specialUse: SpecialUse | null = null;
    let asksUse = false;
    if (!scanner.atEnd) {
      scanner.space();
      scanner.list(() => {
        if (scanner.keyword() !== 'USE')
          throw refusals.badArgument('Parametro sconosciuto / Unknown parameter');
        scanner.space();
        asksUse = true;
        for (const use of scanner.list(() => readUse(scanner), { empty: true })) specialUse = use;
      });
    }
    return { name, specialUse: specialUse as SpecialUse | null, asksUse };
  },
  uses: ({ asksUse }) => (asksUse ? ['CREATE-SPECIAL-USE'] : []),
  async run({ name, specialUse }, context) {
    const { mailboxId } = accountOf(context);
    const { mailstore } = context.services;
    // A trailing separator says that others shall stand under it: all of ours may (RFC 9051 6.3.4).
    const wanted = checkedName(name.replace(/\/$/, ''));
    if (
      specialUse !== null &&
      (await mailstore.namedFolders(mailboxId)).some((each) => each.specialUse === specialUse)
    )
      throw refusals.useTaken();
    await mailstore.createFolder(mailboxId, wanted, specialUse);
    return DONE;
  },
});

function readUse(scanner: Scanner): SpecialUse {
  scanner.takes('\\');
  const use = USES[`\\${scanner.keyword()}`];
  if (use === undefined) throw refusals.useUnknown();
  return use;
}

export const remove = command({
  name: 'DELETE',
  states: loggedIn,
  grammar: readName,
  async run(name, context) {
    if (name === 'INBOX') throw refusals.inbox();
    await context.services.mailstore.deleteFolder(accountOf(context).mailboxId, name.replace(/\/$/, ''));
    return DONE;
  },
});

export const rename = command({
  name: 'RENAME',
  states: loggedIn,
  grammar: (scanner, context) => ({ from: readName(scanner, context), to: readName(scanner, context) }),
  async run({ from, to }, context) {
    const { mailboxId } = accountOf(context);
    await context.services.mailstore.renameFolder(
      mailboxId,
      from.replace(/\/$/, ''),
      checkedName(to.replace(/\/$/, '')),
    );
    return DONE;
  },
});

const subscribing = (name: 'SUBSCRIBE' | 'UNSUBSCRIBE') =>
  command({
    name,
    states: loggedIn,
    grammar: readName,
    async run(folder, context) {
      const { mailboxId } = accountOf(context);
      await context.services.mailstore.subscribe(
        mailboxId,
        checkedName(folder.replace(/\/$/, '')),
        name === 'SUBSCRIBE',
      );
      return DONE;
    },
  });

export const subscribe = subscribing('SUBSCRIBE');
export const unsubscribe = subscribing('UNSUBSCRIBE');
