/** What is in a mailbox, said shortly, so that a test can name all of it. */

import { Rope } from '../../src/rope/index.js';
import { readSigned, type TrustStore, verifySignature } from '../../src/smime/index.js';
import { said } from '../e2e/reading.js';
import { field, type Held } from './inbox.js';
import { openssl, scratch } from './openssl.js';

/** `accettazione`, `avvenuta-consegna bruno@...`, `errore-consegna/altro ...`, `posta-certificata`, `errore` (anomaly). */
export function label(message: Held): string {
  const transport = field(message, 'X-Trasporto');
  if (transport === 'errore') return 'anomalia';
  if (transport === undefined && field(message, 'X-Ricevuta') === undefined) return 'posta ordinaria';
  const { tipo, errore, consegna, ricezione } = said(message);
  const fault = errore === 'nessuno' ? '' : `/${errore}`;
  return [`${tipo}${fault}`, ...(consegna === undefined ? ricezione : [consegna])].join(' ');
}

/** The labels of a mailbox. */
export const labels = (messages: readonly Held[]): string[] => messages.map(label);

/** Those of one message. */
export const aboutId = <M extends Held>(messages: readonly M[], identificativo: string): M[] =>
  messages.filter(
    (message) =>
      field(message, 'X-Trasporto') !== 'errore' &&
      (field(message, 'X-Ricevuta') ?? field(message, 'X-Trasporto')) !== undefined &&
      said(message).identificativo === identificativo,
  );

/** What openssl has against a message's signature; undefined when nothing. */
export function opensslComplaint({ bytes }: Pick<Held, 'bytes'>, caPem: string): string | undefined {
  const files = scratch();
  try {
    const ca = files.write('ca.pem', caPem);
    const message = files.write('message.eml', bytes);
    const args = ['-purpose', 'smimesign', '-CAfile', ca, '-in', message, '-out', '/dev/null'];
    const { ok, stderr } = openssl('cms', '-verify', ...args);
    return ok ? undefined : stderr;
  } finally {
    files.remove();
  }
}

/** Codes of what is wrong with a message's signature; empty when it holds. */
export async function signatureFaults(
  { bytes }: Pick<Held, 'bytes'>,
  trust: TrustStore,
  at: number,
): Promise<string[]> {
  const signed = await readSigned(Rope.of(bytes));
  if (signed === undefined) return ['absent'];
  const from = /^From:.*?([^\s<>]+@[^\s<>]+?)>?\r$/im.exec(bytes.toString('latin1'))?.[1] ?? '';
  const { faults } = await verifySignature({ signed, from, trust, at });
  return faults.map(({ code }) => code);
}
