export { Mailstore, type Usage } from './mailstore.js';
