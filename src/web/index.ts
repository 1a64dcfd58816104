export type { Check } from './health.js';
export { createWebServer, type WebServer, type WebServerOptions } from './server.js';
