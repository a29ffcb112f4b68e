import { expect, it } from 'vitest'
import { Watchdog } from '../../plugins/engines/process/watchdog.js'
import { createVirtualClock, VirtualTime } from '../kit/virtual-clock.js'

function watched() {
  const time = new VirtualTime()
  const barks: number[] = []
  const dog = new Watchdog(createVirtualClock(time), () => void barks.push(time.nowMs))
  return {
    time,
    barks,
    dog,
    runAll: () => {
      while (time.step());
    },
  }
}

it('barks soon after the last thing that was expected, also if that is due before what was expected first', () => {
  const { barks, dog, runAll } = watched()
  dog.expect(30_000)
  dog.expect(1000)
  runAll()
  expect(barks).toEqual([1100])
})

it('waits for what is due later, and not at all for what has come', () => {
  const { time, barks, dog, runAll } = watched()
  dog.expect(1000)
  dog.expect(5000)
  runAll()
  expect(barks).toEqual([5100])
  dog.expect(1000)
  time.schedule(1050, () => dog.stop())
  runAll()
  expect(barks).toHaveLength(1)
})
