import { type Header, parseAddresses } from '../mime/index.js';
import { addressKey } from './recipients.js';
import type { ReceiptType } from './types.js';

type Role = 'primary' | 'copy' | 'unclear';

/**
 * What one recipient's delivery notification carries, for the kind that was asked: carbon copies get the concise form
 * (RFC 6109 3.3.2.1, decisions 28), everyone gets it when it was asked for (3.3.2.3).
 * @param postacert header of the signed original, the only To and Cc that are trusted (decisions 5)
 * @param outer header of the envelope; an address whose part differs there counts as primary (decisions 5)
 */
export function receiptFormFor(
  recipient: string,
  postacert: Header,
  asked: ReceiptType,
  outer?: Header,
): ReceiptType {
  if (asked === 'sintetica') return 'sintetica';
  const role = roleOf(recipient, postacert);
  if (role !== 'copy') return asked;
  if (outer !== undefined && roleOf(recipient, outer) !== 'copy') return asked;
  return 'sintetica';
}

/** RFC 6109 3.3.2.1: whatever is ambiguous in To and Cc is resolved in favour of the complete copy. */
function roleOf(recipient: string, header: Header): Role {
  const key = addressKey(recipient);
  const to = read(header, 'To');
  const cc = read(header, 'Cc');
  if (to.unclear || cc.unclear || to.keys.has(key) === cc.keys.has(key)) return 'unclear';
  return cc.keys.has(key) ? 'copy' : 'primary';
}

function read(header: Header, name: 'To' | 'Cc'): { keys: Set<string>; unclear: boolean } {
  const fields = header.all(name);
  const lists = fields.filter((field) => field.raw.trim() !== '').map((field) => parseAddresses(field.raw));
  return {
    keys: new Set(lists.flatMap((list) => list.mailboxes.map((mailbox) => addressKey(mailbox.address)))),
    unclear: fields.length > 1 || lists.some((list) => !list.valid),
  };
}
