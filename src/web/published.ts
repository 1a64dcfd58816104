import { readFile } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';

export interface PublishedOptions {
  /** PEM file to hand out at /ca.pem; null: none. */
  readonly caFile: string | null;
  /** Our record in the directory, signed (RFC 6109 4.5.6); null: not published. */
  readonly providerRecord: (() => Promise<Buffer>) | null;
}

/** What this gestore shows to everyone: the CA its clients may need, and its record for the directory. */
export function publishedRoutes(routes: FastifyInstance, { caFile, providerRecord }: PublishedOptions): void {
  if (caFile !== null) {
    routes.get('/ca.pem', async (_request, reply) =>
      reply.type('application/x-pem-file').send(await readFile(caFile)),
    );
  }
  if (providerRecord !== null) {
    routes.get('/igpec/provider.ldif.p7m', async (_request, reply) =>
      reply.type('application/pkcs7-mime; smime-type=signed-data').send(await providerRecord()),
    );
  }
}

export interface SignedRecordOptions {
  /** Our record as LDIF. */
  readonly ldif: () => string | Promise<string>;
  readonly sign: (ldif: Buffer) => Promise<Buffer>;
  /** Epoch milliseconds. */
  readonly clock: () => number;
}

/** Milliseconds: a signature is made anew once a day, so that its date stays within every reader's patience. */
const SIGNATURE_AGE = 24 * 3_600_000;

/** Our record, signed once for everyone who asks: strangers must not be able to keep the sealing key busy. */
export function signedRecord({ ldif, sign, clock }: SignedRecordOptions): () => Promise<Buffer> {
  let last: { readonly text: string; readonly at: number; readonly signed: Promise<Buffer> } | undefined;
  return async () => {
    const text = await ldif();
    const now = clock();
    const isFresh = last?.text === text && now >= last.at && now - last.at < SIGNATURE_AGE;
    if (last !== undefined && isFresh) return last.signed;
    const made = { text, at: now, signed: sign(Buffer.from(text)) };
    last = made;
    // A key that was away is asked again.
    made.signed.catch(() => {
      if (last === made) last = undefined;
    });
    return made.signed;
  };
}
