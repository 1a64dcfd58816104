import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import type { Telemetry } from '../telemetry/index.js';
import { type HealthOptions, healthRoutes } from './health.js';
import { type PublishedOptions, publishedRoutes } from './published.js';

export interface WebServerOptions extends HealthOptions, PublishedOptions {
  /** PEM. */
  readonly tls: { readonly cert: string | Buffer; readonly key: string | Buffer };
  readonly telemetry: Telemetry;
}

export interface WebServer {
  listen(port: number, address: string): Promise<AddressInfo>;
  /** New certificate for the connections to come. */
  reload(tls: { readonly cert: string | Buffer; readonly key: string | Buffer }): void;
  close(): Promise<void>;
}

/** Octets of a request body: nothing here takes one. */
const BODY_LIMIT = 64 * 1024;
const TIMEOUT_MS = 30_000;

/** The HTTPS port. Nothing is bound before `listen`. */
export async function createWebServer(options: WebServerOptions): Promise<WebServer> {
  const app = fastify({
    https: { ...options.tls, minVersion: 'TLSv1.2' },
    bodyLimit: BODY_LIMIT,
    requestTimeout: TIMEOUT_MS,
    connectionTimeout: TIMEOUT_MS,
    forceCloseConnections: 'idle',
  });
  observe(app, options.telemetry);
  await app.register(async (routes) => healthRoutes(routes, options));
  await app.register(async (routes) => publishedRoutes(routes, options));
  return {
    async listen(port, host) {
      await app.listen({ port, host });
      const address = app.server.address();
      if (address === null || typeof address === 'string') throw new Error('the HTTPS listener has no port');
      return address;
    },
    reload: (tls) => app.server.setSecureContext(tls),
    close: () => app.close(),
  };
}

function observe(app: FastifyInstance, telemetry: Telemetry): void {
  app.addHook('onSend', async (_request, reply) => {
    reply.headers({
      'strict-transport-security': 'max-age=31536000',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
    });
  });
  app.addHook('onResponse', async (request, reply) => {
    telemetry.event('http.request', {
      method: request.method,
      route: request.routeOptions.url ?? '*',
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      peer: request.ip,
    });
  });
}
