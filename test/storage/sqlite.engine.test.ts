import { engineContract } from './contract/engine.js';
import { sqlitePlace } from './support/sqlite-place.js';

engineContract('sqlite', async () => sqlitePlace());
