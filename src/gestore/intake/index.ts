export { type Cause, Intake } from './intake.js';
export { measuresOf } from './measure.js';
