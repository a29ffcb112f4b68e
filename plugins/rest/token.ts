import { createToken } from '../../kernel/index.js'
import type { HttpListener } from '../http/index.js'

/** The listener of REST. Absent from the services while `rest.enabled` is false. */
export const REST = createToken<{ readonly listener: HttpListener | undefined }>('rest', 'weft/plugins/rest')
