import { describe, expect, test } from 'vitest'
import type { Clock } from '../../kernel/index.js'
import { createLogging, parseLevels } from '../../plugins/logging/index.js'
import { jsonWriter } from '../../plugins/logging/json-writer.js'

const moment = new Date(2024, 4, 6, 7, 8, 9, 45)
const clock: Clock = {
  now: () => ({ seconds: BigInt(Math.floor(moment.getTime() / 1000)), nanos: 45_000_000 }),
  elapsedMs: () => 0,
  setTimer: () => () => undefined,
}

function recorder(spec: string, format: 'text' | 'json' = 'text') {
  const lines: string[] = []
  const stream = { write: (line: string) => lines.push(line) }
  return { lines, logging: createLogging({ spec, clock, stream, ...(format === 'json' ? { writer: jsonWriter(stream, clock) } : {}) }) }
}

describe('a log line', () => {
  test('looks as in v0.6, with the facts after the message', () => {
    const { lines, logging } = recorder('debug')
    const log = logging.logger('pbft').in('viewChange')
    log.info('new view', { view: 3n, primary: 'vp1', why: 'timed out', digest: new Uint8Array([0xab, 1]), error: new Error('no "quorum"') })
    log.error('oh')
    expect(lines).toEqual([
      '07:08:09.045 [pbft] viewChange -> INFO 001 new view view=3 primary=vp1 why="timed out" digest=ab01 error="no \\"quorum\\""\n',
      '07:08:09.045 [pbft] viewChange -> ERRO 002 oh\n',
    ])
  })

  test.each([
    ['critical', 'CRIT'],
    ['error', 'ERRO'],
    ['warning', 'WARN'],
    ['notice', 'NOTI'],
    ['info', 'INFO'],
    ['debug', 'DEBU'],
  ] as const)('names level %s %s', (level, word) => {
    const { lines, logging } = recorder('debug')
    logging.logger('m')[level]('x')
    expect(lines[0]).toContain(`-> ${word} 001 x`)
  })

  test('counts on in hexadecimal', () => {
    const { lines, logging } = recorder('info')
    for (let count = 0; count < 26; count++) logging.logger('m').info('x')
    expect(lines.at(-1)).toContain(' -> INFO 01a x')
  })

  test('cannot be forged from outside', () => {
    const { lines, logging } = recorder('info')
    logging.logger('m').info('hello\n00:00:00.000 [m] f -> ERRO fff \x1b[31mfake', { from: 'a\r\nb' })
    expect(lines[0]?.match(/\p{Cc}/gu)).toEqual(['\n'])
    expect(lines[0]).toContain('hello\\n00:00:00.000')
  })

  test('is one JSON object in JSON format', () => {
    const { lines, logging } = recorder('info', 'json')
    logging.logger('pbft').in('start').warning('odd\n', { height: 7n })
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
      { level: 'warning', time: moment.toISOString(), module: 'pbft', area: 'start', facts: { height: '7' }, message: 'odd\n' },
    ])
  })
})

describe('levels', () => {
  test('are read as in v0.6', () => {
    expect(parseLevels('warning:pbft,ledger=DEBUG:rest=error')).toEqual({
      fallback: 'warning',
      modules: new Map([
        ['pbft', 'debug'],
        ['ledger', 'debug'],
        ['rest', 'error'],
      ]),
      problems: [],
    })
    expect(parseLevels('pbft=debug').fallback).toBe('info')
  })

  test.each(['loud', '', 'info:pbft=', '=debug', 'info::debug'])('%j is bad: a warning, and INFO for everything', (spec) => {
    const { lines, logging } = recorder(spec)
    expect(lines[0]).toContain('-> WARN 001 invalid logging level, using info: expected')
    const log = logging.logger('pbft')
    expect([log.isEnabled('info'), log.isEnabled('debug')]).toEqual([true, false])
  })

  test('hold per module and can change at run time, also for loggers made before', () => {
    const { lines, logging } = recorder('error:pbft=debug')
    const pbft = logging.logger('pbft').in('x')
    const rest = logging.logger('rest')
    pbft.debug('a')
    rest.info('b')
    logging.setLevels('error:rest=info')
    pbft.debug('c')
    rest.info('d')
    expect(lines.map((line) => line.trim().at(-1))).toEqual(['a', 'd'])
  })
})
