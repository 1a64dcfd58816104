export type { Layout } from './entity-tree.js';
export { type FolderPlace, Mailstore, type MailstoreStore, type Usage } from './mailstore.js';
export { folded } from './searched-text.js';
export type { SortKeys } from './sort-keys.js';
export { type Summarised, summarise } from './summary.js';
