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
