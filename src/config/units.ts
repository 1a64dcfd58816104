import { isIP } from 'node:net';

/** A text that does not say what its key wants; the message tells how to write it. */
export class UnitError extends Error {
  override readonly name = 'UnitError';
}

/** A fixed span of time. */
export interface Duration {
  readonly ms: number;
  readonly text: string;
}

/** A span counted on the calendar: the law says "thirty months", not a number of days. */
export interface Period {
  readonly months: number;
  readonly days: number;
  readonly text: string;
}

/** Host and port as written; `text` is what TLS names are checked against. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly text: string;
}

export type DatabaseLocation =
  | { readonly engine: 'sqlite'; readonly file: string }
  | { readonly engine: 'postgres'; readonly url: string };

export type BlobsLocation =
  | { readonly kind: 'file'; readonly folder: string }
  | {
      readonly kind: 's3';
      readonly bucket: string;
      readonly endpoint: string | null;
      readonly region: string | null;
    };

const kilobyte = 1024;
const sizeUnits: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: kilobyte,
  mb: kilobyte ** 2,
  gb: kilobyte ** 3,
  tb: kilobyte ** 4,
};

/** `30MB` -> 31457280 octets (decisions 19: units are powers of 1024). Throws UnitError. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim());
  const unit = sizeUnits[match?.[2]?.toLowerCase() ?? '?'];
  const octets = Number(match?.[1]) * (unit ?? Number.NaN);
  if (!Number.isSafeInteger(octets)) {
    throw new UnitError(`"${text}" is not a size: write a number of octets or 512KB, 30MB, 1GB`);
  }
  return octets;
}

const second = 1000;
const hour = 3600 * second;
const durationUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: second,
  min: 60 * second,
  h: hour,
  d: 24 * hour,
};

/** `12h`, `15min`, `2s`, `5d` -> milliseconds. Zero and months are refused. Throws UnitError. */
export function parseDuration(text: string): Duration {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|min|h|d)$/.exec(text.trim());
  const ms = Math.round(Number(match?.[1]) * (durationUnits[match?.[2] ?? ''] ?? Number.NaN));
  if (!Number.isSafeInteger(ms) || ms <= 0) {
    throw new UnitError(`"${text}" is not a duration: write 2s, 15min, 12h or 5d`);
  }
  return { ms, text: text.trim() };
}

/** `30mo`, `3y`, `920d` -> a calendar period. Throws UnitError. */
export function parsePeriod(text: string): Period {
  const match = /^(\d+)\s*(d|mo|y)$/.exec(text.trim());
  const amount = Number(match?.[1]);
  if (!Number.isSafeInteger(amount) || amount <= 0) {
    throw new UnitError(`"${text}" is not a period: write 30mo, 3y or 920d`);
  }
  const written = text.trim();
  if (match?.[2] === 'd') return { months: 0, days: amount, text: written };
  return { months: match?.[2] === 'y' ? amount * 12 : amount, days: 0, text: written };
}

/** Thirty consecutive months hold at most 915 days. */
const daysOfThirtyMonths = 915;

/** Whether a period is at least the thirty months of DPR 68/2005 art. 11 (RFC 6109 2.3). */
export function lastsThirtyMonths(period: Period): boolean {
  return period.months >= 30 || period.days >= daysOfThirtyMonths;
}

/**
 * The instant that lies a period before `epochMs`, in UTC. A day that the target month lacks becomes its last one.
 */
export function subtractPeriod(epochMs: number, period: Period): number {
  const from = new Date(epochMs);
  const target = new Date(epochMs);
  target.setUTCMonth(from.getUTCMonth() - period.months);
  // Overflow, as in 31 March - 1 month = 3 March: step back to the last day of the month meant.
  if (target.getUTCDate() !== from.getUTCDate()) target.setUTCDate(0);
  return target.getTime() - period.days * 24 * hour;
}

/** `host:port`, `[::1]:25`, or a bare host where a port is known. Throws UnitError. */
export function parseEndpoint(text: string, defaultPort?: number): Endpoint {
  const written = text.trim();
  const bracketed = /^\[([0-9a-f:.]+)\](?::(\d+))?$/i.exec(written);
  const plain = /^([A-Za-z0-9._-]+)(?::(\d+))?$/.exec(written);
  const match = bracketed ?? plain;
  const host = match?.[1] ?? '';
  const port = match?.[2] === undefined ? defaultPort : Number(match[2]);
  const hostHolds = bracketed ? isIP(host) === 6 : host !== '';
  if (!hostHolds || port === undefined || port < 1 || port > 65535) {
    throw new UnitError(
      `"${text}" is not a host and port: write mail.example:25, 127.0.0.1:20025 or [::1]:25`,
    );
  }
  return { host, port, text: written };
}

/** A resolver: an IP address, with a port where it is not 53. Throws UnitError. */
export function parseResolver(text: string): string {
  const written = text.trim();
  if (isIP(written) !== 0) return written;
  const { host } = parseEndpoint(written);
  if (isIP(host) === 0)
    throw new UnitError(`"${text}" is not the address of a DNS resolver: write 192.0.2.53`);
  return written;
}

/** `tcp://127.0.0.1:3310` or `unix:/run/clamav/clamd.ctl`, the path made absolute. Throws UnitError. */
export function parseClamd(text: string, resolve: (path: string) => string): string {
  const written = text.trim();
  const socket = /^unix:(?:\/\/(?=\/))?(.+)$/.exec(written)?.[1];
  if (socket !== undefined) return `unix:${resolve(socket)}`;
  if (written.startsWith('tcp://')) {
    const { host, port } = parseEndpoint(written.slice('tcp://'.length), 3310);
    return host.includes(':') ? `tcp://[${host}]:${port}` : `tcp://${host}:${port}`;
  }
  throw new UnitError(
    `"${text}" is not a clamd address: write tcp://127.0.0.1:3310 or unix:/run/clamav/clamd.ctl`,
  );
}

/** `sqlite:data/ceralacca.db` or `postgres://...`. Throws UnitError. */
export function parseDatabase(text: string, resolve: (path: string) => string): DatabaseLocation {
  const written = text.trim();
  if (/^postgres(ql)?:\/\/./.test(written)) return { engine: 'postgres', url: written };
  const file = /^sqlite:(.+)$/.exec(written)?.[1];
  if (file === undefined) {
    throw new UnitError(
      `"${text}" is not a database: write sqlite:data/ceralacca.db or postgres://host/name`,
    );
  }
  return { engine: 'sqlite', file: resolve(file) };
}

/** `file:data/blobs` or `s3://bucket?endpoint=https://...&region=...`. Throws UnitError. */
export function parseBlobs(text: string, resolve: (path: string) => string): BlobsLocation {
  const written = text.trim();
  const folder = /^file:(?:\/\/(?=\/))?(.+)$/.exec(written)?.[1];
  if (folder !== undefined) return { kind: 'file', folder: resolve(folder) };
  const bucket = /^s3:\/\/([a-z0-9][a-z0-9.-]+)/.exec(written)?.[1];
  if (bucket === undefined || !URL.canParse(written)) {
    throw new UnitError(
      `"${text}" is not a place for blobs: write file:data/blobs or s3://bucket?endpoint=...`,
    );
  }
  const { searchParams } = new URL(written);
  return { kind: 's3', bucket, endpoint: searchParams.get('endpoint'), region: searchParams.get('region') };
}
