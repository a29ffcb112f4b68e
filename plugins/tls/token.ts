import { createToken } from '../../kernel/index.js'
import type { TlsSource } from './source.js'

/** The certificates of this peer's listeners. Listeners that are not gRPC list this in `uses`. */
export const TLS = createToken<TlsSource>('tls', 'weft/plugins/grpc')
