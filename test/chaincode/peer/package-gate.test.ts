import { expect, test } from 'vitest'
import { PackageGate } from '../../../plugins/chaincode/peer/package-gate.js'

test('two packages are made at a time, 64 wait in order, more are refused, and one that fails makes room', async () => {
  const gate = new PackageGate()
  const ends: ((failed: boolean) => void)[] = []
  const begun: number[] = []
  const pack = (index: number) =>
    gate.pass(
      () =>
        new Promise<number>((resolve, reject) => {
          begun.push(index)
          ends.push((failed) => (failed ? reject(new Error(`no ${index}`)) : resolve(index)))
        }),
    )
  const all = Array.from({ length: 66 }, (_, index) => pack(index))
  await expect(pack(66)).rejects.toMatchObject({ code: 'ERR_CHAINCODE_BUSY', grpcStatus: 8, retryable: true })
  await new Promise(setImmediate)
  expect(begun).toEqual([0, 1])
  for (let index = 0; index < 66; index++) {
    ends[index]?.(index === 3)
    if (index === 3) await expect(all[3]).rejects.toThrow('no 3')
    else expect(await all[index]).toBe(index)
    await new Promise(setImmediate)
  }
  expect(begun).toEqual(Array.from({ length: 66 }, (_, index) => index))
  const last = pack(67)
  await new Promise(setImmediate)
  ends[66]?.(false)
  expect(await last).toBe(67)
})
