import {
  readCharset,
  readReturn,
  readSearchKeys,
  type SearchKey,
  type SearchReturn,
} from '../../wire/imap/index.js';
import { type Command, command, inFolder, selectedOf } from '../command.js';
import { refusals } from '../refusals.js';
import { answerSearch } from '../search/answer.js';
import { find } from '../search/find.js';
import { asksModseq } from '../search/plan.js';
import { usesOfKey, usesOfReturns } from '../search/uses.js';

interface SearchRequest {
  readonly returns: ReadonlySet<SearchReturn> | undefined;
  readonly key: SearchKey;
}

/** What strings may be in; both are read as UTF-8. */
export const CHARSETS = new Set(['UTF-8', 'US-ASCII', 'UTF8']);

const searching = (uid: boolean): Command =>
  command({
    name: uid ? 'UID SEARCH' : 'SEARCH',
    states: inFolder,
    tells: uid ? 'all' : 'no-expunge',
    capability: uid ? [] : ['ESEARCH', 'SEARCHRES', 'WITHIN'],
    grammar(scanner): SearchRequest {
      scanner.space();
      const returns = readReturn(scanner);
      const charset = readCharset(scanner);
      if (charset !== undefined && !CHARSETS.has(charset)) throw refusals.badCharset();
      return { returns, key: readSearchKeys(scanner) };
    },
    uses: ({ returns, key }) => [...usesOfReturns(returns, 'ESEARCH'), ...usesOfKey(key)],
    async run({ returns, key }, context) {
      const selected = selectedOf(context);
      const modseq = asksModseq(key);
      if (modseq) context.enable('CONDSTORE');
      const found = await find(key, context, selected);
      answerSearch(found, { uid, returns, modseq, name: 'SEARCH' }, selected, context);
      return { text: 'Fatto / Done' };
    },
  });

/** RFC 9051 6.4.4. */
export const search = searching(false);
export const uidSearch = searching(true);
