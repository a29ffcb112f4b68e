import { beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../kernel/index.js'
import { guardBuffers } from '../../plugins/grpc/buffer-guard.js'
import { keepingLog } from '../chaincode/node/quiet-log.js'

const MIB = 1024 * 1024
const MAX = 100 * MIB

let closed: string[]
let held: number
let period: () => void
let greedy: { bytesRead: number }
let busy: { bytesRead: number }

beforeEach(() => {
  closed = []
  held = 0
  const open = ['greedy', 'busy', 'idle'].map((name, index) => ({
    bytesRead: 0,
    remoteAddress: '127.0.0.1',
    remotePort: index,
    destroy() {
      closed.push(name)
      open.splice(open.indexOf(this), 1)
    },
  }))
  const [first, second] = open
  if (first === undefined || second === undefined) throw new Error('three connections')
  ;[greedy, busy] = [first, second]
  const setTimer = (_delayMs: number, task: () => void) => {
    period = task
    return () => undefined
  }
  guardBuffers({ maxBytes: MAX, connections: () => open, clock: { ...systemClock, setTimer }, log: keepingLog(), heldBytes: () => held })
})

test('while buffers are within the limit, nobody is closed, however much comes in', () => {
  greedy.bytesRead = 10_000 * MIB
  held = MAX
  period()
  expect(closed).toEqual([])
})

test('above it, the connection that received most lately is closed, not the one that received most ever', () => {
  busy.bytesRead = 10_000 * MIB
  for (let i = 0; i < 100; i++) period()
  greedy.bytesRead = 90 * MIB
  held = MAX + 1
  period()
  expect(closed).toEqual(['greedy'])
})

test('one connection is closed at a time, and no more once buffers shrink', () => {
  greedy.bytesRead = 90 * MIB
  busy.bytesRead = 50 * MIB
  held = MAX + 20
  period()
  held = MAX + 10
  period()
  expect(closed).toEqual(['greedy'])
  held = MAX + 15
  period()
  expect(closed).toEqual(['greedy', 'busy'])
})

test('connections that hardly send are never to blame', () => {
  busy.bytesRead = MIB
  held = MAX + 1
  period()
  expect(closed).toEqual([])
})
