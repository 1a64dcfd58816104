import { readReturn, readSearchKeys, type Scanner, type SearchKey } from '../../wire/imap/index.js';
import { type Command, command, inFolder, selectedOf } from '../command.js';
import { refusals } from '../refusals.js';
import { answerSearch } from '../search/answer.js';
import { findSortable } from '../search/find.js';
import { readOrder, sorted, usesOfOrder } from '../search/order.js';
import { asksModseq } from '../search/plan.js';
import { byOrderedSubject, byReferences, writeThreads } from '../search/threads.js';
import { usesOfKey, usesOfReturns } from '../search/uses.js';
import { CHARSETS } from './search.js';

/** A charset, which RFC 5256 wants here, and the keys. */
function readCharsetAndKeys(scanner: Scanner): SearchKey {
  scanner.space();
  if (!CHARSETS.has(scanner.astring().toString('latin1').toUpperCase())) throw refusals.badCharset();
  scanner.space();
  return readSearchKeys(scanner);
}

const sorting = (uid: boolean): Command =>
  command({
    name: uid ? 'UID SORT' : 'SORT',
    states: inFolder,
    tells: uid ? 'all' : 'no-expunge',
    comesWith: ['SORT'],
    capability: uid ? [] : ['SORT', 'SORT=DISPLAY', 'ESORT'],
    grammar(scanner) {
      scanner.space();
      const returns = readReturn(scanner);
      const order = readOrder(scanner);
      return { returns, order, key: readCharsetAndKeys(scanner) };
    },
    uses: ({ returns, order, key }) => [
      ...usesOfReturns(returns, 'ESORT'),
      ...usesOfOrder(order),
      ...usesOfKey(key),
    ],
    async run({ returns, order, key }, context) {
      const selected = selectedOf(context);
      const found = await findSortable(key, context, selected);
      const modseq = asksModseq(key);
      answerSearch(sorted(found, order), { uid, returns, modseq, name: 'SORT' }, selected, context);
      return { text: 'Fatto / Done' };
    },
  });

/** RFC 5256; RFC 5267 for the results. */
export const sort = sorting(false);
export const uidSort = sorting(true);

const threading = (uid: boolean): Command =>
  command({
    name: uid ? 'UID THREAD' : 'THREAD',
    states: inFolder,
    tells: uid ? 'all' : 'no-expunge',
    capability: uid ? [] : ['THREAD=ORDEREDSUBJECT', 'THREAD=REFERENCES'],
    grammar(scanner) {
      scanner.space();
      const algorithm = scanner.keyword();
      if (algorithm !== 'REFERENCES' && algorithm !== 'ORDEREDSUBJECT')
        throw refusals.badArgument('Algoritmo sconosciuto / Unknown threading algorithm');
      return { algorithm, key: readCharsetAndKeys(scanner) };
    },
    uses: ({ algorithm, key }) => [`THREAD=${algorithm}`, ...usesOfKey(key)],
    async run({ algorithm, key }, context) {
      const selected = selectedOf(context);
      const found = await findSortable(key, context, selected);
      const threads = algorithm === 'REFERENCES' ? byReferences(found) : byOrderedSubject(found);
      const text = writeThreads(threads, (one) => (uid ? one.uid : selected.view.sequenceOf(one.uid)));
      context.untagged(text === '' ? 'THREAD' : `THREAD ${text}`);
      return { text: 'Fatto / Done' };
    },
  });

export const threadMessages = threading(false);
export const uidThread = threading(true);
