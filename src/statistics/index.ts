export { type Availability, availabilityOf, REQUIRED, type Span } from './availability.js';
export { collect, type Statistics } from './collect.js';
export { type CountName, type Counts, countNames, DayCounts } from './counts.js';
export { type DelaySummary, Delays } from './delays.js';
export { statisticsCsv } from './render/csv.js';
export { statisticsHtml } from './render/html.js';
