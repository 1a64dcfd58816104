export type { Check } from './health.js';
export { type SignedRecordOptions, signedRecord } from './published.js';
export { createWebServer, type WebServer, type WebServerOptions } from './server.js';
