import { createToken } from '../../kernel/index.js'
import type { Devops } from './devops.js'

/** Deploying, invoking and querying, for every door (gRPC here, REST elsewhere). */
export const DEVOPS = createToken<Devops>('devops', 'weft/plugins/devops')
