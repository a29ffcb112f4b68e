import { address, defineKeys, duration, flag, integer, key } from '../../kernel/index.js'

const MEBIBYTE = 1024 * 1024

/** Keys of the metrics plugin. */
export const metricsKeys = defineKeys({
  'metrics.enabled': key(flag(), true, 'answer /metrics, /healthz, /readyz and /livez'),
  'metrics.address': key(address(), '127.0.0.1:9464', 'address of metrics and health; nothing authenticates its callers'),
  'metrics.health.minFreeBytes': key(
    integer({ min: 0 }),
    256 * MEBIBYTE,
    'health is red while the disk of peer.fileSystemPath has less room, in bytes; 0: never',
  ),
  'metrics.health.stuckAfter': key(duration(), '30s', 'health is red when requests wait and no block was committed for so long'),
  'metrics.health.loopDelay': key(duration(), '2s', 'health is red for half a minute after the event loop stood still for so long'),
})
