import { createToken } from '../../kernel/index.js'
import type { DirectoryLock } from './lock.js'

/** The peer's data directory, taken for this process. Whatever opens files in it lists this in `uses`, so that it opens them later. */
export const DIRECTORY = createToken<DirectoryLock>('directory', 'weft/plugins/directory')
