/** The subject that a conversation shares: without `Re:`, `Fwd:`, list tags and `(fwd)` (RFC 5256 2.1). Linear in its length. */
export function baseSubject(subject: string): { readonly base: string; readonly reply: boolean } {
  let text = subject.replace(/[\t\r\n ]+/g, ' ').trim();
  let reply = false;
  for (;;) {
    const trailed = text.replace(/(?: ?\(fwd\) ?)$/i, '').trimEnd();
    if (trailed !== text) {
      text = trailed;
      reply = true;
      continue;
    }
    const leader = /^(?:\[[^[\]]*\] ?)*(?:re|fwd?) ?(?:\[[^[\]]*\] ?)?: ?/i.exec(text);
    if (leader !== null) {
      text = text.slice(leader[0].length);
      reply = true;
      continue;
    }
    const blob = /^\[[^[\]]*\] ?/.exec(text);
    if (blob !== null && blob[0].length < text.length) {
      text = text.slice(blob[0].length);
      continue;
    }
    const forwarded = /^\[fwd:(.*)\]$/i.exec(text);
    if (forwarded === null) return { base: text.toUpperCase(), reply };
    text = (forwarded[1] ?? '').trim();
    reply = true;
  }
}
