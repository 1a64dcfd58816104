export { type Chore, Timers } from './timers.js';
