/** Fields that a mail message has near its beginning, and hardly another text file. */
const TELLING =
  /^(?:received|return-path|delivered-to|message-id|from|to|date|subject|mime-version|x-ricevuta|x-trasporto|x-riferimento-message-id)$/i;
const FIELD = /^([!-9;-~]+)[ \t]*:/;
/** A Compound File (MS-CFB), such as Outlook's .msg. */
const COMPOUND = Buffer.from('d0cf11e0a1b11ae1', 'hex');

/** Whether the octets of a file begin with the header of a mail message: fields only, two of them of mail. */
export function beginsMail(head: Buffer): boolean {
  let telling = 0;
  for (const line of head.toString('latin1').split('\n')) {
    if (/^[ \t]/.test(line)) continue;
    const name = FIELD.exec(line)?.[1];
    if (name === undefined) break;
    if (TELLING.test(name)) telling += 1;
    if (telling === 2) return true;
  }
  return false;
}

/** Whether a file is one of Outlook's own, which does not keep the message as it travelled. */
export const beginsOutlook = (head: Buffer): boolean => head.subarray(0, 8).equals(COMPOUND);
