const CR = 0x0d;
const LF = 0x0a;

/** How the lines of a file end. `mixed` is left alone: which of its line ends were signed nobody can tell. */
export type LineEnds = 'crlf' | 'lf' | 'mixed';

/**
 * Mail as it travelled. Programs that save a message often write LF alone; a text whose every line ends so is given
 * CRLF again, the canonical form that is signed (RFC 8551 3.1.1). Anything else comes back as it is.
 */
export function canonicalLines(bytes: Buffer): { readonly bytes: Buffer; readonly ends: LineEnds } {
  let bareLf = 0;
  let lf = 0;
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    lf += 1;
    if (bytes[at - 1] !== CR) bareLf += 1;
  }
  const returns = bytes.includes(CR);
  if (bareLf === 0) return { bytes, ends: 'crlf' };
  if (bareLf < lf || returns) return { bytes, ends: 'mixed' };
  const canonical = Buffer.allocUnsafe(bytes.length + lf);
  let from = 0;
  let to = 0;
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, from)) {
    to += bytes.copy(canonical, to, from, at);
    canonical[to] = CR;
    canonical[to + 1] = LF;
    to += 2;
    from = at + 1;
  }
  bytes.copy(canonical, to, from);
  return { bytes: canonical, ends: 'lf' };
}
