export { type SilenceLook, SilenceNotices, type SilenceOptions } from './silence.js';
export { SilenceWatch, type SilenceWatchOptions } from './silence-watch.js';
export { type Chore, Timers } from './timers.js';
