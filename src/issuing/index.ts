export { type AnomalyInput, type EnvelopeInput, Issuer, type Sealed } from './issuer.js';
