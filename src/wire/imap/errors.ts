/** What the client wrote is no IMAP. The text is for it to read; the answer is BAD. */
export class ImapSyntaxError extends Error {
  override readonly name = 'ImapSyntaxError';
}
