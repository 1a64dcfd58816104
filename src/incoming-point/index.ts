export type { Arrival } from './arrival.js';
export { IncomingPoint, type IncomingPointOptions } from './incoming-point.js';
export { IncomingRate, type IncomingRateOptions } from './incoming-rate.js';
export { type MxSessionOptions, mxHandlers } from './mx-session.js';
export { networkQuestions, type SenderCheckOptions, senderCheck } from './sender-check.js';
