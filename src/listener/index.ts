export { ConnectionLost } from './connection-lost.js';
export { Output } from './output.js';
