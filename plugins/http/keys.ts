import { type Settings, defineKeys, duration, flag, integer, key, list } from '../../kernel/index.js'

/** What bounds the clients of every HTTP listener. */
export const httpKeys = defineKeys({
  'http.accessLog': key(flag(), false, 'one log line for each HTTP request'),
  'http.clientAuthListeners': key(
    list(),
    [],
    'HTTP listeners, by name (rest, metrics), that let in nobody without a certificate of peer.tls.clientRootCAs.files; needs peer.tls.clientAuth',
  ),
  'http.limits.bodyBytes': key(integer({ min: 1024 }), 1_048_576, 'largest body of an HTTP request, in bytes; larger ones are answered 413'),
  'http.limits.headerBytes': key(integer({ min: 1024 }), 16_384, 'largest head of an HTTP request, in bytes; larger ones are answered 431'),
  'http.limits.connections': key(integer({ min: 2 }), 1024, 'connections of one HTTP server; beyond it idle ones are closed'),
  'http.limits.requests': key(integer({ min: 1 }), 256, 'requests in work at one HTTP server; beyond it they are answered 503'),
  'http.timeouts.headers': key(duration(), '10s', 'time in which the head of an HTTP request must have come'),
  'http.timeouts.request': key(duration(), '30s', 'time in which a whole HTTP request must have come'),
  'http.timeouts.keepAlive': key(duration(), '30s', 'time for which an HTTP connection without a request is kept'),
  'http.timeouts.idle': key(duration(), '2m', 'time after which an HTTP connection on which nothing moves is closed, also while its request is in work'),
})

export type HttpSettings = Settings<typeof httpKeys>
