export { type FolderPlace, Mailstore, type MailstoreStore, type Usage } from './mailstore.js';
