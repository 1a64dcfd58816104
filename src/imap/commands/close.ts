import {
  accountOf,
  type Context,
  command,
  type Done,
  inFolder,
  noArguments,
  selectedOf,
} from '../command.js';

const left = (context: Context): Done => ({
  text: 'Cartella chiusa / Mailbox closed',
  next: { kind: 'authenticated', account: accountOf(context) },
});

/** RFC 9051 6.4.1: what is marked goes, and nobody is told. */
export const close = command({
  name: 'CLOSE',
  states: inFolder,
  tells: 'none',
  grammar: noArguments,
  async run(_, context) {
    const { mailboxId, folderId, readOnly } = selectedOf(context);
    if (!readOnly) await context.services.mailstore.expungeFrom(mailboxId, folderId, 'marked');
    return left(context);
  },
});

/** RFC 9051 6.4.2. */
export const unselect = command({
  name: 'UNSELECT',
  states: inFolder,
  tells: 'none',
  comesWith: ['UNSELECT'],
  capability: ['UNSELECT'],
  grammar: noArguments,
  run: (_, context) => left(context),
});
