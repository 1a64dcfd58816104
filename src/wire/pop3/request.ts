/** Octets of a command line, its end included. */
export const commandLimits = {
  /** RFC 2449 4. */
  command: 255,
  /** AUTH with an initial response: clients are told 255 (RFC 5034 4), some write more. */
  auth: 512,
  /** A line of a SASL exchange: PLAIN's two identities and a password of 1024 octets, in base64 (RFC 5034 4). */
  sasl: 4096,
} as const;

/** One command line: its keyword in upper case, and what follows the first space, as it came. */
export interface Request {
  readonly keyword: string;
  readonly argument: Buffer | undefined;
}

const SPACE = 0x20;
const KEYWORD = /^[A-Z0-9][A-Z0-9-]{0,11}$/;
const CONTROLS = [0x00, 0x0d];

/**
 * Reads a command line without its end (RFC 2449 3, `command`). The argument's own grammar is the command's.
 * @returns undefined for what is no command line at all.
 */
export function parseRequest(line: Buffer): Request | undefined {
  if (CONTROLS.some((octet) => line.includes(octet))) return undefined;
  const space = line.indexOf(SPACE);
  const keyword = line.toString('latin1', 0, space === -1 ? line.length : space).toUpperCase();
  if (!KEYWORD.test(keyword)) return undefined;
  return { keyword, argument: space === -1 ? undefined : line.subarray(space + 1) };
}
