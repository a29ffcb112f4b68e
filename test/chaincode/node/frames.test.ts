import { expect, it } from 'vitest'
import { FrameReader, joinFrames } from '../../../plugins/sandbox/index.js'

const bodies = ['', 'a', 'bc'.repeat(300), 'd'].map((text) => Buffer.from(text))

it('frames come out as they went in, however the bytes are cut', () => {
  const whole = joinFrames(bodies)
  for (const size of [1, 2, 3, 5, 7, 604, whole.length]) {
    const reader = new FrameReader(1000)
    const found: string[] = []
    for (let at = 0; at < whole.length; at += size) found.push(...reader.push(whole.slice(at, at + size)).map((frame) => Buffer.from(frame).toString()))
    expect(found).toEqual(bodies.map(String))
  }
})

it('a frame above the limit is refused by its header alone, also as a later one', () => {
  expect(() => new FrameReader(10).push(Buffer.from([0, 0, 0, 11]))).toThrow('longer than the limit of 10')
  expect(() => new FrameReader(10).push(Buffer.from([0, 0, 0, 1, 65, 255, 0, 0, 0]))).toThrow('longer than the limit')
})
