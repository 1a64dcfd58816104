export { Rope, type RopePart, type Segment } from './rope.js';
export type { Source } from './source.js';
