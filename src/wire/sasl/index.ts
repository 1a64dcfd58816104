export { decodeBase64 } from './base64.js';
export {
  type BindingFlag,
  type ClientFinal,
  type ClientFirst,
  readClientFinal,
  readClientFirst,
  writeServerFinal,
  writeServerFirst,
} from './scram.js';
