export { CLIENT_TLS, type KeyPair, type ServerTls, serverTls } from './settings.js';
