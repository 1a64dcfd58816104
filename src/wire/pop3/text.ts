/** Names and passwords as clients send them: UTF-8, or Latin-1 from those that never heard of it. */
export function readText(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? text : bytes.toString('latin1');
}

/** One line of printable ASCII (RFC 2449 3, `text`): accents are dropped, other characters become `?`. */
export function wireText(text: string, limit: number): string {
  return text
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[\r\n\t]+/g, ' ')
    .replace(/[^\x20-\x7e]/gu, '?')
    .slice(0, limit);
}
