import { readSequenceSet } from '../../wire/imap/index.js';
import { command, inFolder, noArguments, writableOf } from '../command.js';
import { usesOfSet } from '../search/uses.js';

/** RFC 9051 6.4.3. */
export const expunge = command({
  name: 'EXPUNGE',
  states: inFolder,
  grammar: noArguments,
  async run(_, context) {
    const selected = writableOf(context);
    const { mailboxId, folderId } = selected;
    const gone = await context.services.mailstore.expungeFrom(mailboxId, folderId, 'marked');
    selected.bury(gone);
    return { text: 'Fatto / Done' };
  },
});

/** RFC 4315 2.1: only among these. */
export const uidExpunge = command({
  name: 'UID EXPUNGE',
  states: inFolder,
  comesWith: ['UIDPLUS'],
  uses: usesOfSet,
  grammar(scanner) {
    scanner.space();
    return readSequenceSet(scanner);
  },
  async run(set, context) {
    const selected = writableOf(context);
    const { mailboxId, folderId } = selected;
    const marked = selected.resolve(set, true);
    const gone = await context.services.mailstore.expungeFrom(mailboxId, folderId, { marked });
    selected.bury(gone);
    return { text: 'Fatto / Done' };
  },
});
