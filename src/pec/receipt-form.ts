import { type Header, parseAddresses } from '../mime/index.js';
import { addressKey } from './recipients.js';
import type { ReceiptType } from './types.js';

/**
 * What each recipient's delivery notification carries, for the kind that was asked: carbon copies get the concise form
 * (RFC 6109 3.3.2.1, decisions 28), everyone gets it when it was asked for (3.3.2.3). To and Cc are parsed once for all
 * recipients, and only when one is asked about.
 * @param postacert header of the signed original, the only To and Cc that are trusted (decisions 5)
 * @param outer header of the envelope; an address whose part differs there counts as primary (decisions 5)
 */
export function receiptForms(
  postacert: Header,
  outer: Header,
  asked: ReceiptType,
): (recipient: string) => ReceiptType {
  if (asked === 'sintetica') return () => 'sintetica';
  let inside: ReadonlySet<string> | undefined;
  let outside: ReadonlySet<string> | undefined;
  return (recipient) => {
    const key = addressKey(recipient);
    inside ??= copiesIn(postacert);
    if (!inside.has(key)) return asked;
    outside ??= copiesIn(outer);
    return outside.has(key) ? 'sintetica' : asked;
  };
}

/**
 * The keys of those who are plainly carbon copies. RFC 6109 3.3.2.1: whatever is ambiguous in To and Cc is resolved in
 * favour of the complete copy.
 */
function copiesIn(header: Header): ReadonlySet<string> {
  const to = read(header, 'To');
  const cc = read(header, 'Cc');
  if (to.unclear || cc.unclear) return new Set();
  return new Set([...cc.keys].filter((key) => !to.keys.has(key)));
}

function read(header: Header, name: 'To' | 'Cc'): { keys: ReadonlySet<string>; unclear: boolean } {
  const fields = header.all(name);
  const lists = fields.filter((field) => field.raw.trim() !== '').map((field) => parseAddresses(field.raw));
  return {
    keys: new Set(lists.flatMap((list) => list.mailboxes.map((mailbox) => addressKey(mailbox.address)))),
    unclear: fields.length > 1 || lists.some((list) => !list.valid),
  };
}
