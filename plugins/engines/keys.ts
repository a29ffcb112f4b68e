import { choice, defineKeys, integer, key, list, type Settings } from '../../kernel/index.js'
import { defaultProcessLimits, fitting, type ProcessLimits } from './process/limits.js'

const MIB = 1024 * 1024

/** The keys of engines from packages, and of their processes. */
export const enginesKeys = defineKeys({
  'consensus.engines': key(
    list(),
    [],
    'packages of engines that run in a process of their own: names to be found in node_modules from the working directory upwards, or paths of folders',
  ),
  'consensus.trusted': key(list(), [], 'names of engines from consensus.engines, or installed ones, that run inside the peer nevertheless'),
  'consensus.isolation.sandbox': key(
    choice(['auto', 'bwrap', 'unshare', 'none']),
    defaultProcessLimits.sandbox,
    'what contains the process of an engine; auto: bwrap, else unshare; none: nothing, it may do whatever the peer may do',
  ),
  'consensus.isolation.maxMemoryMiB': key(integer({ min: 128 }), defaultProcessLimits.memoryBytes / MIB, 'memory of the process of an engine, in MiB'),
  'consensus.isolation.maxHandlerMs': key(
    integer({ min: 100 }),
    defaultProcessLimits.maxHandlerMs,
    'how long an engine may take for one event, in milliseconds; then its process is killed',
  ),
  'consensus.isolation.startTimeoutMs': key(
    integer({ min: 1000 }),
    defaultProcessLimits.startTimeoutMs,
    'how long the process of an engine may take to start, in milliseconds',
  ),
  'consensus.isolation.maxEffects': key(integer({ min: 100 }), defaultProcessLimits.maxEffects, 'effects that an engine may ask for in one handler'),
  'consensus.isolation.maxEffectsPerSecond': key(
    integer({ min: 1000 }),
    defaultProcessLimits.maxEffectsPerSecond,
    'effects that an engine may ask for in a second',
  ),
  'consensus.isolation.maxAnswerMiB': key(
    integer({ min: 1, max: 1024 }),
    defaultProcessLimits.maxAnswerBytes / MIB,
    'volume of the effects of one handler, in MiB; never more than an eighth of maxMemoryMiB',
  ),
  'consensus.isolation.maxMiBPerSecond': key(
    integer({ min: 1 }),
    defaultProcessLimits.maxBytesPerSecond / MIB,
    'volume of the effects of a second, in MiB, with up to eight validators; with more it grows with their number',
  ),
  'consensus.isolation.maxRecords': key(integer({ min: 1000 }), defaultProcessLimits.maxRecords, 'records that an engine may keep in the store'),
  'consensus.isolation.maxRecordMiB': key(
    integer({ min: 1 }),
    defaultProcessLimits.maxRecordBytes / MIB,
    'volume of these records, in MiB (of each 128 bytes, twice its key, and its value); never more than a quarter of maxMemoryMiB, since they all come back at a start',
  ),
  'consensus.isolation.maxRestarts': key(
    integer({ min: 0 }),
    defaultProcessLimits.maxRestarts,
    'how many ends of its process in a row, each within a minute, are answered by another start; one more halts the engine',
  ),
})

/** The bounds that a site sets. */
export function limitsOf(settings: Settings<typeof enginesKeys>): ProcessLimits {
  return fitting({
    ...defaultProcessLimits,
    sandbox: settings['consensus.isolation.sandbox'],
    memoryBytes: settings['consensus.isolation.maxMemoryMiB'] * MIB,
    maxHandlerMs: settings['consensus.isolation.maxHandlerMs'],
    startTimeoutMs: settings['consensus.isolation.startTimeoutMs'],
    maxEffects: settings['consensus.isolation.maxEffects'],
    maxEffectsPerSecond: settings['consensus.isolation.maxEffectsPerSecond'],
    maxAnswerBytes: settings['consensus.isolation.maxAnswerMiB'] * MIB,
    maxBytesPerSecond: settings['consensus.isolation.maxMiBPerSecond'] * MIB,
    maxRecords: settings['consensus.isolation.maxRecords'],
    maxRecordBytes: settings['consensus.isolation.maxRecordMiB'] * MIB,
    maxRestarts: settings['consensus.isolation.maxRestarts'],
  })
}
