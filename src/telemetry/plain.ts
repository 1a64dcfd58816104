import { printable } from '../mime/index.js';

/** Log lines for eyes. */
const names: Readonly<Record<number, string>> = {
  10: 'TRACE',
  20: 'DEBUG',
  30: 'INFO',
  40: 'WARN',
  50: 'ERROR',
  60: 'FATAL',
};
const framing = new Set(['level', 'time', 'pid', 'hostname', 'event', 'msg']);

/** One JSON line of the log as plain text: `12:03:44.120 INFO message accepted identificativo=... size=812`. */
export function plainLine(json: string): string {
  const entry: Record<string, unknown> = JSON.parse(json);
  const time = new Date(String(entry.time)).toISOString().slice(11, 23);
  const fields = Object.entries(entry)
    .filter(([name]) => !framing.has(name))
    .map(([name, value]) => `${name}=${plainValue(value)}`);
  return `${[time, (names[Number(entry.level)] ?? '').padEnd(5), entry.msg, ...fields].join(' ')}\n`;
}

function plainValue(value: unknown): string {
  const text = typeof value === 'string' && /^[\x21-\x7e]+$/.test(value) && !/["=]/.test(value);
  // Whoever writes into a log line writes neither a second one nor to the terminal.
  return text ? value : printable(JSON.stringify(value));
}
